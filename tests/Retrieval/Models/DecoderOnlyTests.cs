namespace Recsys.Retrieval.Tests.Models;

public class DecoderOnlyTests
{
    [Fact]
    public void Later_tokens_change_no_earlier_logit_by_a_single_bit()
    {
        var table = Tiny.Table(60, [6, 5, 4], 1);
        using var model = Tiny.Model(table, Tiny.Options);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var first = Tiny.Forward(model, table, [1, 2, 3, 4, 5]);
        var second = Tiny.Forward(model, table, [1, 2, 3, 50, 51]);

        // Slot 3 reads item 3's tokens from its level 1 on; everything before is common.
        Assert.Equal(Bytes(first.narrow(1, 0, 3)), Bytes(second.narrow(1, 0, 3)));
        Assert.Equal(Bytes(first[0, 3, 0]), Bytes(second[0, 3, 0]));
        Assert.NotEqual(Bytes(first[0, 3, 1]), Bytes(second[0, 3, 1]));
    }

    [Fact]
    public void Dense_vector_of_an_item_is_seen_only_after_all_its_tokens_are_predicted()
    {
        var table = Tiny.Table(60, [6, 5, 4], 2);
        using var model = Tiny.Model(table, Tiny.Options);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var changed = model.Vectors!.clone();
        changed[20].add_(1);
        var before = Tiny.Forward(model, table, [7, 20, 9]);
        var after = Tiny.Forward(model, table, [7, 20, 9], changed);

        Assert.Equal(Bytes(before.narrow(1, 0, 2)), Bytes(after.narrow(1, 0, 2))); // slots 0 and 1: up to item 20's own last token
        Assert.NotEqual(Bytes(before[0, 2, 0]), Bytes(after[0, 2, 0]));
    }

    [Fact]
    public void Packed_windows_do_not_see_each_other()
    {
        var table = Tiny.Table(60, [6, 5, 4], 3);
        using var model = Tiny.Model(table, Tiny.Options with { DenseInputs = false });
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var layout = model.Layout;
        var training = new SequenceSet(["a", "b"], [0, 3, 5], [10, 11, 12, 40, 41]);
        var batch = Assert.Single(Retrieval.Training.PackedBatch.Pack(training, [new(0, 3), new(3, 2)], 5, 1));
        var input = new Retrieval.Models.SlotInput(
            tensor(layout.Tokens(layout.Codes(table), batch.Items, batch.Previous), [1, 5, layout.Depth]),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), [1, 5]), null);
        var segments = tensor(batch.Segments.SelectMany(segment => Enumerable.Repeat((long)segment, layout.Depth)).ToArray());
        long length = segments.size(0);
        var bias = zeros(length, length).masked_fill(segments.unsqueeze(1).eq(segments).logical_and(ones(length, length, ScalarType.Bool).tril()).logical_not(), float.NegativeInfinity);
        var packed = model.Network.Forward(input, bias, null);

        Assert.True(allclose(packed.narrow(1, 0, 3), Tiny.Forward(model, table, [10, 11, 12]), 1e-4, 1e-5));
        Assert.True(allclose(packed.narrow(1, 3, 2), Tiny.Forward(model, table, [40, 41]), 1e-4, 1e-5));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void Strip_dropout_drops_its_share_and_keeps_the_mean(double p)
    {
        using var scope = NewDisposeScope();
        using var dropout = new Retrieval.Models.StripDropout(p, 1 << 16, new Random(1), CPU);
        var x = dropout.Apply(ones(256, 256));
        double kept = x.ne(0).to(ScalarType.Float32).mean().item<float>();
        Assert.Equal(1 - p, kept, 0.01);
        Assert.Equal(1, x.mean().item<float>(), 0.08);
        Assert.NotEqual(Bytes(x), p == 0 ? [] : Bytes(dropout.Apply(ones(256, 256))));
    }

    private static byte[] Bytes(Tensor tensor) => System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(tensor.contiguous().data<float>().ToArray()).ToArray();
}
