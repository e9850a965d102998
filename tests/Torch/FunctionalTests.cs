using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public class FunctionalTests
{
    private static double[] Softmax(IEnumerable<double> v)
    {
        var e = v.Select(Math.Exp).ToArray();
        return e.Select(x => x / e.Sum()).ToArray();
    }

    [Fact]
    public void Linear_and_embedding_equal_their_sums()
    {
        using var scope = NewDisposeScope();
        var (x, w, b) = (Random([3, 4], 1), Random([2, 4], 2), Random([2], 3));
        var (xs, ws, bs) = (x.Doubles(), w.Doubles(), b.Doubles());
        Close(from i in Enumerable.Range(0, 3) from o in Enumerable.Range(0, 2) select bs[o] + Enumerable.Range(0, 4).Sum(k => xs[(i * 4) + k] * ws[(o * 4) + k]),
            functional.linear(x, w, b));
        Close(ws[4..].Concat(ws[..4]).Concat(ws[4..]), functional.embedding(tensor(new long[] { 1, 0, 1 }), w));
        Assert.Equal([0L, 1, 0, 1, 0, 0], functional.one_hot(tensor(new long[] { 1, 0 }), 3).Longs());
    }

    [Fact]
    public void Norms_centre_and_scale()
    {
        using var scope = NewDisposeScope();
        var x = Random([6, 8], 4);
        var weight = Random([8], 5);
        var ln = (x - x.mean([1], true)) / (x.var(1, false, true) + 1e-5).sqrt();
        Close(ln * weight + 2, functional.layer_norm(x, [8], weight, full(8, 2.0, dtype: ScalarType.Float64)), 1e-9);
        var bn = (x - x.mean([0], true)) / (x.var(0, false, true) + 1e-5).sqrt();
        Close(bn, functional.batch_norm(x, null, null, training: true), 1e-9);
        var g = x.reshape(6, 2, 4);
        var gn = (g - g.mean([2], true)) / (g.var(2, false, true) + 1e-5).sqrt();
        Close(gn.reshape(6, 8) * weight, functional.group_norm(x, 2, weight, zeros(8, dtype: ScalarType.Float64)), 1e-9);
        Close(x / x.norm(1, true).clamp_min(1e-12), functional.normalize(x), 1e-12);
    }

    [Fact]
    public void Batch_norm_moves_its_running_statistics()
    {
        using var scope = NewDisposeScope();
        var x = Random([10, 3], 6);
        var (mean, variance) = (zeros(3, dtype: ScalarType.Float64), ones(3, dtype: ScalarType.Float64));
        functional.batch_norm(x, mean, variance, training: true, momentum: 0.1);
        Close(x.mean([0]) * 0.1, mean, 1e-12);
        Close(x.var(0) * 0.1 + 0.9, variance, 1e-12);
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(2, 1, 1)]
    [InlineData(1, 2, 2)]
    public void Conv2d_equals_six_loops(int stride, int padding, int dilation)
    {
        using var scope = NewDisposeScope();
        var (x, w, b) = (Random([2, 3, 6, 7], 7), Random([4, 3, 3, 2], 8), Random([4], 9));
        var y = functional.conv2d(x, w, b, [stride, stride], [padding, padding], [dilation, dilation]);
        var (h, v) = ((6 + (2 * padding) - (dilation * 2) - 1) / stride + 1, (7 + (2 * padding) - dilation - 1) / stride + 1);
        Assert.Equal([2L, 4, h, v], y.shape);
        var (xs, ws, bs) = (x.Doubles(), w.Doubles(), b.Doubles());
        var expected = new List<double>();
        for (var n = 0; n < 2; n++)
        for (var o = 0; o < 4; o++)
        for (var i = 0; i < h; i++)
        for (var j = 0; j < v; j++)
        {
            var sum = bs[o];
            for (var c = 0; c < 3; c++)
            for (var a = 0; a < 3; a++)
            for (var d = 0; d < 2; d++)
            {
                var (r, s) = ((i * stride) + (a * dilation) - padding, (j * stride) + (d * dilation) - padding);
                sum += r is >= 0 and < 6 && s is >= 0 and < 7 ? xs[(((((n * 3) + c) * 6) + r) * 7) + s] * ws[(((((o * 3) + c) * 3) + a) * 2) + d] : 0;
            }

            expected.Add(sum);
        }

        Close(expected, y, 1e-9);
    }

    [Fact]
    public void A_transposed_convolution_is_the_adjoint_of_the_convolution()
    {
        using var scope = NewDisposeScope();
        var (x, w) = (Random([1, 2, 5, 5], 10), Random([3, 2, 3, 3], 11));
        var y = functional.conv2d(x, w, strides: [2, 2]);
        var z = Random(y.shape, 12);
        Assert.Equal((y * z).sum().ToDouble(), (x * functional.conv_transpose2d(z, w, strides: [2, 2])).sum().ToDouble(), 1e-10);
    }

    [Fact]
    public void Pools_and_resizes_equal_their_definition()
    {
        using var scope = NewDisposeScope();
        var x = arange(16, dtype: ScalarType.Float64).reshape(1, 1, 4, 4);
        Close([2.5, 4.5, 10.5, 12.5], functional.avg_pool2d(x, 2));
        Close([5, 7, 13, 15], functional.max_pool2d(x, 2));
        Close([7.5], functional.adaptive_avg_pool2d(x, 1));
        Close([0, 2, 8, 10], functional.interpolate(x, [2, 2]));
        Close([2.5, 4.5, 10.5, 12.5], functional.interpolate(x, [2, 2], mode: InterpolationMode.Area));
        Close([2.5, 4.5, 10.5, 12.5], functional.interpolate(x, scale_factor: [0.5], mode: InterpolationMode.Bilinear));
        Close([0, 3, 12, 15], functional.interpolate(x, [2, 2], mode: InterpolationMode.Bilinear, align_corners: true));
        Close([0, 5, 10, 15], functional.interpolate(x, [4, 4], mode: InterpolationMode.Bicubic, align_corners: true).diagonal(0, 2, 3), 1e-9);
        Assert.Equal([1L, 1, 8, 8], functional.interpolate(x, scale_factor: [2, 2]).shape);
        Close([2, 1, 0, 1, 2, 1], functional.pad(tensor(new[,] { { 0.0, 1, 2 } }), (2, 1), PaddingModes.Reflect));
        Close([9, 0, 1, 2, 9, 9], functional.pad(tensor(new[] { 0.0, 1, 2 }), (1, 2), value: 9));
        Close([0, 0, 1, 2], functional.pad(tensor(new[,] { { 0.0, 1, 2 } }), (1, 0), PaddingModes.Replicate));
        Assert.Throws<ArgumentException>(() => functional.interpolate(x));
        Close(x, functional.pixel_shuffle(functional.pixel_unshuffle(x, 2), 2));
    }

    [Fact]
    public void Cross_entropy_equals_its_formula_with_smoothing_weights_and_ignored_targets()
    {
        using var scope = NewDisposeScope();
        var x = Random([4, 3], 13);
        var rows = x.Doubles().Chunk(3).Select(Softmax).ToArray();
        long[] targets = [2, -100, 0, 1];
        var kept = new[] { 0, 2, 3 };
        var t = tensor(targets);
        Assert.Equal(kept.Average(i => -Math.Log(rows[i][targets[i]])), functional.cross_entropy(x, t).ToDouble(), 1e-10);
        Assert.Equal(kept.Average(i => (-0.9 * Math.Log(rows[i][targets[i]])) - (0.1 * rows[i].Average(Math.Log))),
            functional.cross_entropy(x, t, label_smoothing: 0.1).ToDouble(), 1e-10);
        double[] w = [1, 2, 3];
        Assert.Equal(kept.Sum(i => -w[targets[i]] * Math.Log(rows[i][targets[i]])) / kept.Sum(i => w[targets[i]]),
            functional.cross_entropy(x, t, tensor(w)).ToDouble(), 1e-10);
        Assert.Equal(functional.cross_entropy(x, t).ToDouble(), functional.nll_loss(x.log_softmax(1), t).ToDouble(), 1e-10);
    }

    [Fact]
    public void Losses_equal_their_formulas()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (Random([20], 14), Random([20], 15, 0.1, 0.9));
        var pairs = x.Doubles().Zip(y.Doubles()).ToArray();
        Assert.Equal(pairs.Average(p => Math.Pow(p.First - p.Second, 2)), functional.mse_loss(x, y).ToDouble(), 1e-10);
        Assert.Equal(pairs.Sum(p => Math.Abs(p.First - p.Second)), functional.l1_loss(x, y, Reduction.Sum).ToDouble(), 1e-10);
        Close(pairs.Select(p => Math.Abs(p.First - p.Second)).Select(d => d < 0.5 ? d * d : d - 0.25), functional.smooth_l1_loss(x, y, Reduction.None, 0.5));
        Assert.Equal(pairs.Average(p => (-p.Second * Math.Log(1 / (1 + Math.Exp(-p.First)))) - ((1 - p.Second) * Math.Log(1 - (1 / (1 + Math.Exp(-p.First)))))),
            functional.binary_cross_entropy_with_logits(x, y).ToDouble(), 1e-10);
        Assert.Equal(pairs.Sum(p => p.Second * (Math.Log(p.Second) - p.First)), functional.kl_div(x, y, log_target: false, Reduction.Sum).ToDouble(), 1e-9);
        Assert.Equal(functional.kl_div(x, y, false).ToDouble(), functional.kl_div(x, y.log(), true).ToDouble(), 1e-10);
    }

    [Fact]
    public void Attention_equals_three_loops_with_every_mask()
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = (Random([2, 3, 4], 16), Random([2, 5, 4], 17), Random([2, 5, 2], 18));
        var keep = tensor(new[,] { { true, false, true, true, true }, { true, true, false, false, true }, { false, false, false, false, true } });
        var bias = Random([3, 5], 19);
        Close(Attend(q, k, v, (_, _) => 0), functional.scaled_dot_product_attention(q, k, v), 1e-10);
        Close(Attend(q, k, v, (i, j) => keep[i, j].ToBoolean() ? 0 : double.NegativeInfinity), functional.scaled_dot_product_attention(q, k, v, keep), 1e-10);
        Close(Attend(q, k, v, (i, j) => bias[i, j].ToDouble()), functional.scaled_dot_product_attention(q, k, v, bias), 1e-10);
        Close(Attend(q, k, v, (i, j) => j <= i ? 0 : double.NegativeInfinity), functional.scaled_dot_product_attention(q, k, v, is_casual: true), 1e-10);
        Assert.Throws<ArgumentException>(() => functional.scaled_dot_product_attention(q, k, v, keep, is_casual: true));
    }

    private static IEnumerable<double> Attend(Tensor q, Tensor k, Tensor v, Func<int, int, double> mask)
    {
        var (qs, ks, vs) = (q.Doubles(), k.Doubles(), v.Doubles());
        for (var b = 0; b < 2; b++)
        for (var i = 0; i < 3; i++)
        {
            var weights = Softmax(Enumerable.Range(0, 5).Select(j =>
                mask(i, j) + (Enumerable.Range(0, 4).Sum(d => qs[(((b * 3) + i) * 4) + d] * ks[(((b * 5) + j) * 4) + d]) / 2)));
            for (var d = 0; d < 2; d++)
            {
                yield return Enumerable.Range(0, 5).Sum(j => weights[j] * vs[(((b * 5) + j) * 2) + d]);
            }
        }
    }
}
