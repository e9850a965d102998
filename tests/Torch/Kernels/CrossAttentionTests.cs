using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>The loops against the same thing composed of libtorch's operators in float64, values and gradients.</summary>
public sealed class CrossAttentionTests
{
    public static TheoryData<long[], long[], long, long> Shapes => new()
    {
        { [], [], 2, 16 }, // no sequence
        { [1], [1], 1, 1 },
        { [4, 4, 4], [1, 81, 17], 6, 64 }, // TIGER's
        { [5, 0, 40], [3, 2, 33], 2, 20 }, // one without a query
        { [100, 1], [1, 100], 1, 33 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void It_equals_the_composed_one_in_values_and_gradients(long[] queries, long[] keys, long heads, long width)
    {
        foreach (bool all in new[] { true, false })
        {
            Compare(queries, keys, heads, width, all, ScalarType.Float32, 1e-5);
            Compare(queries, keys, heads, width, all, ScalarType.BFloat16, 1.0 / 256);
        }
    }

    [Fact]
    public void A_query_that_sees_the_first_keys_alone_is_one_of_a_sequence_that_has_no_others()
    {
        using var scope = NewDisposeScope();
        var (q, kv) = (Random(4, 70, 2, 20).to(ScalarType.Float32), Random(5, 40, 2, 2, 20).to(ScalarType.Float32));
        long[] seen = [.. Enumerable.Range(0, 70).Select(row => 1L + (row * 7 % 40))];
        using var all = Fused.CrossAttention(q, kv, Offsets(70), Offsets(40), tensor(seen));
        for (int row = 0; row < 70; row++)
        {
            var alone = Fused.CrossAttention(q.narrow(0, row, 1), kv.narrow(0, 0, seen[row]), Offsets(1), Offsets(seen[row]));
            Close(alone, all.narrow(0, row, 1), 1e-5);
        }
    }

    [Fact]
    public void A_sequence_that_looks_at_itself_is_self_attention()
    {
        using var scope = NewDisposeScope();
        var qkv = Random(3, 50, 3, 2, 20).to(ScalarType.Float32);
        var offsets = Offsets(20, 30);
        Assert.Equal(
            Fused.SelfAttention(qkv, offsets, causal: false).Bytes(),
            Fused.CrossAttention(qkv.select(1, 0), qkv.narrow(1, 1, 2), offsets, offsets).Bytes());
    }

    [Fact]
    public void Shapes_and_offsets_that_do_not_fit_are_refused_with_value_and_limit()
    {
        using var scope = NewDisposeScope();
        var (q, kv) = (zeros(10, 2, 8), zeros(6, 2, 2, 8));
        void With(string part, Tensor offsets, Tensor keyOffsets) =>
            Refused(part, () => Fused.CrossAttention(q, kv, offsets, keyOffsets));
        With("Sequence 1 has no key", Offsets(5, 5), Offsets(6, 0));
        Refused(
            "Query 0 sees 7 keys; allowed are 1 to its sequence's 6",
            () => Fused.CrossAttention(q, kv, Offsets(10), Offsets(6), full(10, 7, ScalarType.Int64)));
        Refused("visible is Int64 [9]", () => Fused.CrossAttention(q, kv, Offsets(10), Offsets(6), ones(9, ScalarType.Int64)));
        With("2 sequences of queries, 1 of keys", Offsets(5, 5), Offsets(6));
        With("run from 0 to 5; they must run from 0 to the 6 tokens", Offsets(10), Offsets(5));
        Refused("[10, 2, 8] and Float32 [6, 2, 2, 4]", () => Fused.CrossAttention(q, zeros(6, 2, 2, 4), Offsets(10), Offsets(6)));
        Refused("[10, 2, 8] and Float64 [6, 2, 2, 8]", () => Fused.CrossAttention(q, kv.to(ScalarType.Float64), Offsets(10), Offsets(6)));
    }

    private static void Compare(long[] queries, long[] keys, long heads, long width, bool all, ScalarType type, double share)
    {
        using var scope = NewDisposeScope();
        var (offsets, keyOffsets) = (Offsets(queries), Offsets(keys));
        var random = new Random(3);
        var seen = tensor(queries.Zip(keys).SelectMany(sequence => Enumerable.Range(0, (int)sequence.First)
            .Select(_ => all ? sequence.Second : random.NextInt64(1, sequence.Second + 1))).ToArray());
        Tensor[] narrow =
        [
            (Random(7, queries.Sum(), heads, width) * 3).to(type).requires_grad_(),
            (Random(8, keys.Sum(), 2, heads, width) * 3).to(type).requires_grad_(),
        ];
        Tensor[] exact = [.. narrow.Select(x => x.detach().to(ScalarType.Float64).requires_grad_())];
        var expected = Fused.Composed.CrossAttention(exact[0], exact[1], offsets, keyOffsets, seen);
        var actual = Fused.CrossAttention(narrow[0], narrow[1], offsets, keyOffsets, all ? null : seen);
        Assert.Equal(type, actual.dtype);
        Close(expected, actual, share);
        if (queries.Length > 0)
        {
            var incoming = Random(9, queries.Sum(), heads, width).to(type);
            expected.backward([incoming.to(ScalarType.Float64)]);
            actual.backward([incoming]);
            Close(exact[0].grad!, narrow[0].grad!, share);
            Close(exact[1].grad!, narrow[1].grad!, share);
        }
    }
}
