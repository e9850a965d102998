using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Optim;

public class ExponentialMovingAverageTests
{
    [Theory]
    [InlineData(false, ScalarType.Float32)]
    [InlineData(true, ScalarType.Float32)]
    [InlineData(true, ScalarType.Float64)]
    public void The_average_follows_its_recursion(bool warmUp, ScalarType type)
    {
        using var layer = nn.Linear(3, 2).to(type);
        using var average = new ExponentialMovingAverage(layer, 0.9, warmUp);
        double expected = Mean(layer.weight);
        for (int t = 1; t <= 20; t++)
        {
            using (no_grad())
            {
                layer.weight.add_(0.5 * t);
            }

            average.Update();
            double decay = warmUp ? Math.Min(0.9, (1.0 + t) / (10 + t)) : 0.9;
            expected = decay * expected + (1 - decay) * Mean(layer.weight);
        }

        Assert.Equal(expected, Mean(average.state_dict()["weight"]), 1e-3);
    }

    [Fact]
    public void Applied_averages_are_taken_back()
    {
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var layer = nn.Linear(3, 2))
        using (var average = new ExponentialMovingAverage(layer, 0.5))
        {
            double first = Mean(layer.weight);
            using (no_grad())
            {
                layer.weight.add_(1);
            }

            using (average.Applied())
            {
                Assert.Equal(first, Mean(layer.weight), 1e-6);
            }

            Assert.Equal(first + 1, Mean(layer.weight), 1e-6);
            Assert.Throws<InvalidOperationException>(average.Restore);
        }

        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void An_average_goes_round_through_its_state()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(3, 2);
        using var other = nn.Linear(3, 2);
        using var from = new ExponentialMovingAverage(layer, 0.9);
        using var to = new ExponentialMovingAverage(other, 0.9);
        to.load_state_dict(from.state_dict(), 7);
        Assert.Equal(7, to.Updates);
        to.CopyTo();
        Assert.True(other.weight.allclose(layer.weight, 0, 0));
        Assert.Throws<StateDictException>(() => to.load_state_dict(new Dictionary<string, Tensor> { ["weight"] = zeros(1) }, 1));
        Assert.Throws<ArgumentException>(() => new ExponentialMovingAverage(layer, 1));
    }

    private static double Mean(Tensor t)
    {
        using var scope = NewDisposeScope();
        return t.mean().ToDouble();
    }
}
