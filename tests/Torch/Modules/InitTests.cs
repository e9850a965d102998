using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Modules;

public class InitTests
{
    [Fact]
    public void Linear_draws_weight_then_bias_uniformly_like_PyTorch()
    {
        manual_seed(7);
        using var layer = nn.Linear(64, 100);
        manual_seed(7);
        double bound = 1 / Math.Sqrt(64); // kaiming_uniform(a = √5): √3 · √(2 / 6) / √fan
        using Tensor weight = empty(100, 64).uniform_(-bound, bound);
        using Tensor bias = empty(100).uniform_(-bound, bound);
        Assert.True(weight.allclose(layer.weight, 0, 0));
        Assert.True(bias.allclose(layer.bias!, 0, 0));
    }

    [Fact]
    public void Linear_gives_PyTorch_s_numbers_for_seed_0()
    {
        manual_seed(0);
        using var layer = nn.Linear(2, 2);
        // torch.manual_seed(0); torch.nn.Linear(2, 2).weight, .bias
        float[] expected = [-0.0053f, 0.3793f, -0.5820f, -0.5204f, -0.2723f, 0.1896f];
        float[] actual = [.. layer.weight.data<float>().ToArray(), .. layer.bias!.data<float>().ToArray()];
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-4f));
    }

    [Fact]
    public void Embedding_gives_PyTorch_s_numbers_for_seed_0()
    {
        manual_seed(0);
        using var table = nn.Embedding(2, 2);
        // torch.manual_seed(0); torch.nn.Embedding(2, 2).weight
        float[] expected = [1.5410f, -0.2934f, -2.1788f, 0.5684f];
        Assert.All(expected.Zip(table.weight!.data<float>().ToArray()), p => Assert.Equal(p.First, p.Second, 1e-4f));
    }

    [Fact]
    public void Convolution_is_bounded_by_its_receptive_field()
    {
        manual_seed(1);
        using var layer = nn.Conv2d(16, 32, 3, groups: 2);
        double bound = 1 / Math.Sqrt(8 * 9);
        Assert.Equal([32L, 8, 3, 3], layer.weight.shape);
        Statistics(layer.weight, 0, bound / Math.Sqrt(3), bound);
        Assert.True(layer.bias!.abs().max().ToDouble() <= bound);
    }

    [Fact]
    public void Norms_start_as_the_identity()
    {
        using var layer = nn.LayerNorm(5);
        using var group = nn.GroupNorm(2, 4);
        using var batch = nn.BatchNorm2d(3);
        foreach ((string name, Tensor value) in layer.state_dict().Concat(group.state_dict()).Concat(batch.state_dict()))
        {
            double expected = name is "weight" or "running_var" ? 1 : 0;
            Assert.All(value.to(ScalarType.Float64).data<double>().ToArray(), v => Assert.Equal(expected, v));
        }
    }

    [Fact]
    public void A_padding_row_is_zero_and_gets_no_gradient()
    {
        using var table = nn.Embedding(4, 3, padding_idx: -1);
        Assert.Equal(0, table.weight![3].abs().sum().ToDouble());
        table.call(tensor(new long[] { 0, 3, 3 })).sum().backward();
        Assert.Equal([1.0f, 0, 0, 0], table.weight.grad!.select(1, 0).data<float>().ToArray());
    }

    [Fact]
    public void Distributions_have_the_deviations_of_their_formulas()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        Statistics(nn.init.normal_(empty(400, 100), 1, 2), 1, 2);
        Statistics(nn.init.uniform_(empty(400, 100), -1, 3), 1, 4 / Math.Sqrt(12), 3);
        double xavier = Math.Sqrt(2.0 / 500);
        Statistics(nn.init.xavier_normal_(empty(400, 100)), 0, xavier);
        Statistics(nn.init.xavier_uniform_(empty(400, 100), 2), 0, 2 * xavier, 2 * xavier * Math.Sqrt(3));
        Statistics(nn.init.kaiming_normal_(empty(400, 100), nonlinearity: nn.init.NonlinearityType.ReLU), 0, Math.Sqrt(2.0 / 100));
        double fanOut = Math.Sqrt(2.0 / 400);
        Statistics(nn.init.kaiming_uniform_(empty(400, 100), mode: nn.init.FanInOut.FanOut), 0, fanOut, fanOut * Math.Sqrt(3));
        Statistics(nn.init.constant_(empty(3, 3), 2.5), 2.5, 0);
    }

    [Fact]
    public void Truncated_normal_stays_inside_and_has_the_truncated_deviation()
    {
        using Tensor t = empty(500, 200);
        manual_seed(5);
        nn.init.trunc_normal_(t, 0, 0.02, -0.04, 0.04);
        Statistics(t, 0, 0.02 * 0.8796256610342398, 0.04); // deviation of a standard normal cut at ±2
    }

    [Theory]
    [InlineData(6, 4)]
    [InlineData(4, 6)]
    [InlineData(5, 5)]
    public void Orthogonal_matrices_keep_lengths(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        manual_seed(11);
        Tensor q = nn.init.orthogonal_(empty(rows, columns), 2);
        Tensor gram = rows < columns ? q.matmul(q.t()) : q.t().matmul(q);
        Tensor expected = eye(Math.Min(rows, columns)) * 4;
        Assert.True((gram - expected).abs().max().ToDouble() < 1e-5);
    }

    [Fact]
    public void Seeded_generators_repeat_and_leave_the_default_stream_alone()
    {
        manual_seed(9);
        using Tensor expected = rand(3);
        manual_seed(9);
        using var generator = new Generator(4);
        using Tensor a = nn.init.normal_(empty(10), generator: generator);
        generator.manual_seed(4);
        using Tensor b = nn.init.normal_(empty(10), generator: generator);
        using Tensor after = rand(3);
        Assert.True(a.allclose(b, 0, 0));
        Assert.True(expected.allclose(after, 0, 0));
    }

    private static void Statistics(Tensor t, double mean, double deviation, double bound = double.PositiveInfinity)
    {
        double[] values = t.detach().flatten().to(ScalarType.Float64).data<double>().ToArray();
        double average = values.Average();
        double spread = Math.Sqrt(values.Average(v => (v - average) * (v - average)));
        double tolerance = 6 * deviation / Math.Sqrt(values.Length);
        Assert.InRange(average, mean - tolerance - 1e-12, mean + tolerance + 1e-12);
        Assert.InRange(spread, deviation - tolerance, deviation + tolerance);
        Assert.InRange(values.Max(v => Math.Abs(v)), 0, Math.Abs(mean) > 0 && double.IsFinite(bound) ? bound + 1e-6 : Math.Max(bound, 0) + 1e-6);
    }
}
