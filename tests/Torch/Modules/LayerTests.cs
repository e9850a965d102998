using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Modules;

/// <summary>Layers against their formulas, written out in doubles.</summary>
public class LayerTests
{
    [Fact]
    public void Linear_is_the_matrix_product_plus_bias()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(3, 2).to(ScalarType.Float64);
        Tensor x = randn(4, 3, dtype: ScalarType.Float64);
        double[] w = Values(layer.weight), b = Values(layer.bias!), v = Values(x);
        double[] expected = [.. from i in Enumerable.Range(0, 4) from o in Enumerable.Range(0, 2) select b[o] + Enumerable.Range(0, 3).Sum(k => v[i * 3 + k] * w[o * 3 + k])];
        Near(expected, layer.call(x));
    }

    [Fact]
    public void Normalisations_follow_their_formulas()
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(6, 4, dtype: ScalarType.Float64) * 3 + 1;
        double[] v = Values(x);
        using var layer = nn.LayerNorm(4).to(ScalarType.Float64);
        using var rms = nn.RMSNorm(4, eps: 1e-6).to(ScalarType.Float64);
        using var batch = nn.BatchNorm1d(4).to(ScalarType.Float64);
        Near([.. v.Chunk(4).SelectMany(r => Standardised(r))], layer.call(x));
        Near([.. v.Chunk(4).SelectMany(r => r.Select(e => e / Math.Sqrt(r.Average(q => q * q) + 1e-6)))], rms.call(x));
        double[][] columns = [.. Enumerable.Range(0, 4).Select(c => Standardised([.. Enumerable.Range(0, 6).Select(r => v[r * 4 + c])]))];
        Near([.. Enumerable.Range(0, 24).Select(i => columns[i % 4][i / 4])], batch.call(x));
    }

    [Fact]
    public void Batch_statistics_run_while_training_and_are_used_in_evaluation()
    {
        using var scope = NewDisposeScope();
        using var batch = nn.BatchNorm1d(1, momentum: 0.5);
        Tensor x = tensor(new float[] { 1, 3, 5, 7 }).reshape(4, 1); // mean 4, unbiased variance 20/3
        batch.call(x);
        batch.call(x);
        Assert.Equal(3.0, batch.running_mean!.ToDouble(), 5);         // 0 → 2 → 3
        Assert.Equal(0.25 + 0.75 * 20 / 3, batch.running_var!.ToDouble(), 4);
        Assert.Equal(2, batch.num_batches_tracked!.ToInt64());
        batch.eval();
        Tensor y = batch.call(x);
        Assert.Equal((1 - 3) / Math.Sqrt(5.25 + 1e-5), y[0, 0].ToDouble(), 4);
        Assert.Equal(2, batch.num_batches_tracked.ToInt64());
        Assert.Contains("4 dimensions", Assert.Throws<ArgumentException>(() => nn.BatchNorm2d(1).call(x)).Message);
    }

    [Fact]
    public void Group_normalisation_of_one_group_a_channel_standardises_each_channel()
    {
        using var scope = NewDisposeScope();
        using var group = nn.GroupNorm(3, 3).to(ScalarType.Float64);
        Tensor x = randn(2, 3, 4, dtype: ScalarType.Float64);
        Near([.. Values(x).Chunk(4).SelectMany(Standardised)], group.call(x));
        Assert.Contains("4 channels", Assert.Throws<ArgumentException>(() => nn.GroupNorm(3, 4)).Message);
    }

    [Theory]
    [InlineData(1, 0, 1, 1)]
    [InlineData(2, 1, 1, 1)]
    [InlineData(1, 2, 2, 1)]
    [InlineData(1, 1, 1, 2)]
    public void Convolution_equals_its_sum(int stride, int padding, int dilation, int groups)
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(2, 4, 3, stride, padding, dilation, groups: groups).to(ScalarType.Float64);
        Tensor x = randn(1, 2, 7, 6, dtype: ScalarType.Float64);
        double[] v = Values(x), w = Values(layer.weight), b = Values(layer.bias!);
        int height = (7 + 2 * padding - dilation * 2 - 1) / stride + 1, width = (6 + 2 * padding - dilation * 2 - 1) / stride + 1, inputs = 2 / groups;
        List<double> expected = [];
        for (int o = 0; o < 4; o++)
        {
            for (int at = 0; at < height * width; at++)
            {
                double sum = b[o];
                for (int k = 0; k < inputs * 9; k++)
                {
                    int c = o / (4 / groups) * inputs + k / 9;
                    int row = at / width * stride - padding + k % 9 / 3 * dilation, column = at % width * stride - padding + k % 3 * dilation;
                    sum += row is >= 0 and < 7 && column is >= 0 and < 6 ? v[c * 42 + row * 6 + column] * w[o * inputs * 9 + k] : 0;
                }

                expected.Add(sum);
            }
        }

        Near([.. expected], layer.call(x));
    }

    [Fact]
    public void Same_padding_keeps_the_size_and_circular_padding_wraps()
    {
        using var scope = NewDisposeScope();
        using var same = nn.Conv2d(1, 1, 4, Padding.Same);
        Assert.Equal([1L, 1, 5, 6], same.call(randn(1, 1, 5, 6)).shape);
        using var circular = nn.Conv1d(1, 1, 3, padding: 1, padding_mode: PaddingModes.Circular, bias: false);
        nn.init.ones_(circular.weight);
        Assert.Equal([4 + 1 + 2f, 6, 9, 3 + 4 + 1], circular.call(tensor(new float[] { 1, 2, 3, 4 }).reshape(1, 1, 4)).data<float>().ToArray());
        Assert.Throws<ArgumentException>(() => nn.Conv2d(1, 1, 3, Padding.Same, stride: 2));
        Assert.Throws<ArgumentException>(() => nn.Conv2d(3, 4, 3, groups: 2));
    }

    [Fact]
    public void Transposed_convolution_is_the_gradient_of_the_convolution()
    {
        using var scope = NewDisposeScope();
        using var up = nn.ConvTranspose2d(3, 2, 4, stride: 2, padding: 1, bias: false);
        Tensor y = randn(1, 3, 5, 5);
        Tensor x = randn(1, 2, 10, 10).requires_grad_();
        Tensor down = nn.functional.conv2d(x, up.weight, strides: [2, 2], padding: [1, 1]); // [1, 3, 5, 5]
        (down * y).sum().backward();
        Tensor enlarged = up.call(y);
        Assert.Equal([1L, 2, 10, 10], enlarged.shape);
        Assert.True((enlarged - x.grad!).abs().max().ToDouble() < 1e-5);
        Assert.Equal([1L, 2, 11, 11], up.forward(y, [11, 11]).shape);
    }

    [Fact]
    public void Activations_follow_their_formulas()
    {
        using var scope = NewDisposeScope();
        Tensor x = linspace(-4, 4, 17, dtype: ScalarType.Float64);
        (nn.Module<Tensor, Tensor> Module, Func<double, double> Formula)[] cases =
        [
            (nn.ReLU(), v => Math.Max(v, 0)),
            (nn.SiLU(), v => v / (1 + Math.Exp(-v))),
            (nn.Tanh(), Math.Tanh),
            (nn.Sigmoid(), v => 1 / (1 + Math.Exp(-v))),
            (nn.LeakyReLU(0.2), v => v > 0 ? v : 0.2 * v),
            (nn.Softplus(), v => Math.Log(1 + Math.Exp(v))),
            (nn.GELU(Recsys.Torch.Modules.GELU.Approximate.tanh), v => 0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)))),
            (nn.Identity(), v => v),
        ];
        foreach ((nn.Module<Tensor, Tensor> module, Func<double, double> formula) in cases)
        {
            Near([.. Values(x).Select(formula)], module.call(x));
        }

        Assert.Equal(0.8413447, nn.GELU().call(tensor(1.0)).ToDouble(), 6); // Φ(1)
        Tensor changed = x.clone();
        nn.ReLU(inplace: true).call(changed);
        Assert.Equal(0, changed.min().ToDouble());
    }

    [Fact]
    public void Dropout_keeps_the_mean_while_training_and_does_nothing_in_evaluation()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var dropout = nn.Dropout(0.3);
        Tensor x = ones(100_000);
        Tensor y = dropout.call(x);
        Assert.Equal(1, y.mean().ToDouble(), 0.02);
        Assert.Equal(0.3, (y == 0).to(ScalarType.Float32).mean().ToDouble(), 0.01);
        dropout.eval();
        Assert.True(dropout.call(x).allclose(x, 0, 0));
        Assert.Throws<ArgumentException>(() => nn.Dropout(1.5));
    }

    [Fact]
    public void Embedding_bag_equals_the_mean_of_the_looked_up_rows()
    {
        using var scope = NewDisposeScope();
        using var bag = nn.EmbeddingBag(5, 3);
        Tensor rows = tensor(new long[] { 0, 1, 4, 2 });
        Tensor looked = bag.weight![rows];
        Tensor expected = cat([looked[..3].mean([0L], keepdim: true), looked[3..]]);
        Assert.True((bag.call(rows, tensor(new long[] { 0, 3 })) - expected).abs().max().ToDouble() < 1e-6);
        Assert.True((bag.call(rows.reshape(2, 2)) - looked.reshape(2, 2, 3).mean([1L])).abs().max().ToDouble() < 1e-6);
        Assert.Throws<ArgumentException>(() => bag.call(rows));
    }

    [Fact]
    public void Pooling_upsampling_and_flattening_move_values()
    {
        using var scope = NewDisposeScope();
        Tensor x = arange(16, dtype: ScalarType.Float32).reshape(1, 1, 4, 4);
        Assert.Equal([5f, 7, 13, 15], Floats(nn.MaxPool2d(2).call(x)));
        Assert.Equal([2.5f, 4.5f, 10.5f, 12.5f], Floats(nn.AvgPool2d(2).call(x)));
        Tensor small = tensor(new float[] { 1, 2 }).reshape(1, 1, 1, 2);
        Assert.Equal([1f, 1, 2, 2, 1, 1, 2, 2], Floats(nn.Upsample(scale_factor: [2]).call(small)));
        Assert.Equal([1f, 1.5f, 2], Floats(nn.Upsample(size: [1, 3], mode: UpsampleMode.Bilinear, align_corners: true).call(small)));
        Assert.Equal([1L, 16], nn.Flatten().call(x).shape);
        Assert.Throws<ArgumentException>(() => nn.Upsample());
    }

    [Fact]
    public void Losses_follow_their_formulas()
    {
        using var scope = NewDisposeScope();
        Tensor logits = tensor(new double[] { 1, 2, 3, 0, 0, 0 }).reshape(2, 3);
        double first = -Math.Log(Math.Exp(3) / (Math.Exp(1) + Math.Exp(2) + Math.Exp(3)));
        Assert.Equal((first + Math.Log(3)) / 2, nn.CrossEntropyLoss().call(logits, tensor(new long[] { 2, 0 })).ToDouble(), 9);
        Assert.Equal(first, nn.CrossEntropyLoss(ignore_index: 0).call(logits, tensor(new long[] { 2, 0 })).ToDouble(), 9);
        Assert.Equal(2.5, nn.MSELoss().call(tensor(new double[] { 1, 2 }), zeros(2, dtype: ScalarType.Float64)).ToDouble());
        Assert.Equal(5, nn.MSELoss(nn.Reduction.Sum).call(tensor(new double[] { 1, 2 }), zeros(2, dtype: ScalarType.Float64)).ToDouble());
    }

    [Fact]
    public void A_sequence_keeps_its_order_and_disposes_what_lies_between()
    {
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var model = nn.Sequential(("a", (nn.Module<Tensor, Tensor>)nn.Linear(2, 3)), ("b", nn.ReLU()), ("c", nn.Linear(3, 1))))
        {
            Assert.Equal(["a.weight", "a.bias", "c.weight", "c.bias"], model.named_parameters().Select(p => p.name));
            using Tensor x = ones(1, 2);
            using Tensor y = model.call(x);
            Assert.Equal(baseline + 6, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            y.backward();
        }

        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static double[] Standardised(double[] row)
    {
        double mean = row.Average(), variance = row.Average(v => (v - mean) * (v - mean));
        return [.. row.Select(v => (v - mean) / Math.Sqrt(variance + 1e-5))];
    }

    private static double[] Values(Tensor t) => t.detach().to(ScalarType.Float64).data<double>().ToArray();

    private static float[] Floats(Tensor t) => t.data<float>().ToArray();

    private static void Near(double[] expected, Tensor actual)
    {
        double[] values = Values(actual);
        Assert.Equal(expected.Length, values.Length);
        Assert.All(expected.Zip(values), p => Assert.Equal(p.First, p.Second, 1e-9));
    }
}
