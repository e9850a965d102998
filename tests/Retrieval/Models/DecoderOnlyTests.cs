using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

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
        var changed = model.Generative!.Vectors!.clone();
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
        var layout = model.Generative!.Layout;
        var training = new SequenceSet(["a", "b"], [0, 3, 5], [10, 11, 12, 40, 41]);
        var batch = Assert.Single(Retrieval.Training.PackedBatch.Pack(training, [new(0, 3), new(3, 2)], 6));
        var codes = layout.Codes(table);
        var input = new SlotInput(
            tensor(layout.Whole(codes, batch.Previous), [6, layout.Depth]),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at)), null);
        var network = (DecoderOnly)model.Generative.Network;
        var states = network.Read(input, tensor(Array.ConvertAll(batch.Starts, start => (long)start)), null);
        var packed = network.Write(states, tensor(layout.Prefixes(codes, batch.Items), [6, layout.Depth - 1]), null); // [slots, depth, dim]

        Assert.True(allclose(packed.narrow(0, 0, 3), Tiny.Forward(model, table, [10, 11, 12])[0], 1e-4, 1e-5));
        Assert.True(allclose(packed.narrow(0, 3, 2), Tiny.Forward(model, table, [40, 41])[0], 1e-4, 1e-5));
    }

    private static byte[] Bytes(Tensor tensor) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(tensor.contiguous().data<float>().ToArray()).ToArray();
}
