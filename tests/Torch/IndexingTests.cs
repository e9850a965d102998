using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public class IndexingTests
{
    private static readonly double[,,] Cube = Fill();

    private static double[,,] Fill()
    {
        var c = new double[3, 4, 5];
        for (var i = 0; i < 60; i++)
        {
            c[i / 20, i / 5 % 4, i % 5] = i;
        }

        return c;
    }

    [Fact]
    public void Integers_pick_one_element_and_drop_their_dimension()
    {
        using var scope = NewDisposeScope();
        var t = tensor(Cube);
        Assert.Equal(Cube[1, 2, 3], t[1, 2, 3].ToDouble());
        Assert.Equal(Cube[2, 3, 4], t[-1, -1, -1].ToDouble());
        Assert.Equal([5L], t[0, 1].shape);
        Assert.Equal(Cube[2, 3, 4], t[^1, ^1, ^1].ToDouble());
    }

    [Fact]
    public void Ranges_and_steps_equal_a_loop()
    {
        using var scope = NewDisposeScope();
        var t = tensor(Cube);
        var expected = from i in new[] { 1, 2 } from j in new[] { 0, 2 } from k in new[] { 1, 2, 3 } select Cube[i, j, k];
        var actual = t[1.., TensorIndex.Slice(null, null, 2), 1..^1];
        Assert.Equal([2L, 2, 3], actual.shape);
        Close(expected, actual);
        Close(from i in Enumerable.Range(0, 3) from j in Enumerable.Range(0, 4) select Cube[i, j, 4], t[TensorIndex.Ellipsis, -1]);
        Assert.Equal([3L, 1, 4, 5], t[.., TensorIndex.None].shape);
    }

    [Fact]
    public void Index_tensors_and_masks_pick_rows()
    {
        using var scope = NewDisposeScope();
        var t = tensor(Cube);
        var rows = tensor(new long[] { 2, 0, 2 });
        var columns = tensor(new long[] { 1, 3, 0 });
        Close(from p in new[] { (2, 1), (0, 3), (2, 0) } from k in Enumerable.Range(0, 5) select Cube[p.Item1, p.Item2, k], t[rows, columns]);
        Close(Enumerable.Range(0, 60).Where(i => i % 7 == 0).Select(i => (double)i), t[t.remainder(7) == 0]);
    }

    [Fact]
    public void Assignment_writes_exactly_what_reading_would_give()
    {
        using var scope = NewDisposeScope();
        var t = tensor(Cube);
        t[1, .., 2] = tensor(new[] { -1.0, -2, -3, -4 });
        t[0] = 100;
        t[t > 55.5 & (t < 99)] = 7;
        var expected = (double[,,])Cube.Clone();
        for (var i = 0; i < 60; i++)
        {
            var (a, b, c) = (i / 20, i / 5 % 4, i % 5);
            expected[a, b, c] = a == 0 ? 100 : a == 1 && c == 2 ? -1 - b : i > 55 ? 7 : i;
        }

        Close(tensor(expected), t);
    }

    [Fact]
    public void Index_put_accumulates_where_asked()
    {
        using var scope = NewDisposeScope();
        var t = zeros(4);
        var at = tensor(new long[] { 1, 1, 3 });
        t.index_put_(ones(3), [at], accumulate: true);
        Close([0, 2, 0, 1], t);
    }

    [Fact]
    public void An_index_out_of_range_is_a_typed_error_of_kind_index()
    {
        using var t = tensor(Cube);
        var e = Assert.Throws<TorchException>(() => t[3]);
        Assert.Equal(TorchFault.Index, e.Fault);
        Assert.Throws<TorchException>(() => t[0, 0, 0, 0]);
        Assert.Throws<TorchException>(() => t[0] = ones(7));
        Assert.Throws<ArgumentException>(() => t[Array.Empty<TensorIndex>()]);
    }

    [Fact]
    public void Gathering_and_scattering_equal_loops()
    {
        using var scope = NewDisposeScope();
        var x = Random([4, 6], 11);
        var index = tensor(new long[,] { { 0, 5, 2 }, { 1, 1, 1 }, { 3, 4, 0 }, { 5, 5, 5 } });
        var xs = x.Doubles();
        var at = index.Longs();
        Close(at.Select((column, i) => xs[(i / 3 * 6) + column]), x.gather(1, index));

        var sums = new double[24];
        for (var i = 0; i < 12; i++)
        {
            sums[(i / 3 * 6) + at[i]] += i;
        }

        var source = arange(12, dtype: ScalarType.Float64).reshape(4, 3);
        Close(sums, zeros(4, 6, dtype: ScalarType.Float64).scatter_add_(1, index, source));
        Close(x.take(tensor(new long[] { 3, 23 })), tensor(new[] { xs[3], xs[23] }));
        var added = zeros(3, 2).index_add_(0, tensor(new long[] { 2, 0, 2 }), arange(6, dtype: float32).reshape(3, 2), 2);
        Close([4, 6, 0, 0, 8, 12], added);
        Close([9, 9, 0], zeros(3).index_fill_(0, tensor(new long[] { 0, 1 }), 9));
        Close([1, 5, 1], ones(3).masked_scatter(tensor(new[] { false, true, false }), tensor(new[] { 5f })));
    }

    [Fact]
    public void Sorting_and_searching_equal_linq()
    {
        using var scope = NewDisposeScope();
        var xs = Random([200], 12).Doubles();
        var x = tensor(xs);
        var (values, indices) = x.sort(descending: true);
        Close(xs.OrderDescending(), values);
        Close(indices.Longs().Select(i => xs[i]), values);
        var (top, where) = x.topk(5);
        Close(xs.OrderDescending().Take(5), top);
        Assert.Equal(xs.Select((v, i) => (v, i)).OrderByDescending(p => p.v).Take(5).Select(p => (long)p.i), where.Longs());
        var edges = tensor(new[] { -0.5, 0, 0.5 });
        Assert.Equal(xs.Select(v => v > 0.5 ? 3L : v > 0 ? 2 : v > -0.5 ? 1 : 0), bucketize(x, edges).Longs());
        Assert.Equal(bucketize(x, edges).Longs(), searchsorted(edges, x).Longs());

        var codes = tensor(new long[] { 3, 1, 3, 0, 3, 1 });
        Assert.Equal([1L, 2, 0, 3, 0], codes.bincount(minlength: 5).Longs());
        var (distinct, inverse, counts) = codes.unique(return_inverse: true, return_counts: true);
        Assert.Equal([0L, 1, 3], distinct.Longs());
        Assert.Equal([2L, 1, 2, 0, 2, 1], inverse!.Longs());
        Assert.Equal([1L, 2, 3], counts!.Longs());
        Assert.Equal([0L, 3, 1, 1], histc(tensor(new[] { 1f, 1, 1, 2, 3 }), 4, 0, 4).Longs());
        Assert.Equal([0L, 2, 4], (codes == 3).nonzero().squeeze(1).Longs());
    }
}
