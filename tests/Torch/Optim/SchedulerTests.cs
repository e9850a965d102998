using Recsys.Torch.Modules;
using static Recsys.Torch.torch;
using static Recsys.Torch.torch.optim;

namespace Recsys.Torch.Tests.Optim;

public class SchedulerTests
{
    [Fact]
    public void Step_rate_falls_by_gamma() => Follows(o => lr_scheduler.StepLR(o, 3, 0.5), t => Math.Pow(0.5, t / 3));

    [Fact]
    public void Lambda_rate_is_the_function() => Follows(o => lr_scheduler.LambdaLR(o, t => 1.0 / (1 + t)), t => 1.0 / (1 + t));

    [Fact]
    public void Linear_rate_warms_up() => Follows(o => lr_scheduler.LinearLR(o, 0.1, 1, 5), t => 0.1 + 0.9 * Math.Min(t, 5) / 5);

    [Fact]
    public void Cosine_rate_falls_and_rises_again() =>
        Follows(o => lr_scheduler.CosineAnnealingLR(o, 6, 0.02), t => (0.02 + (0.2 - 0.02) * (1 + Math.Cos(Math.PI * t / 6)) / 2) / 0.2);

    [Fact]
    public void Warm_up_and_then_cosine() => Follows(
        o => lr_scheduler.SequentialLR(o, [lr_scheduler.LinearLR(o, 0.25, 1, 4), lr_scheduler.CosineAnnealingLR(o, 10)], [4]),
        t => t < 4 ? 0.25 + 0.75 * t / 4 : (1 + Math.Cos(Math.PI * (t - 4) / 10)) / 2);

    [Fact]
    public void Constant_exponential_and_polynomial_rates_and_milestones()
    {
        Follows(o => lr_scheduler.ConstantLR(o, 0.25, 4), t => t < 4 ? 0.25 : 1);
        Follows(o => lr_scheduler.ExponentialLR(o, 0.9), t => Math.Pow(0.9, t));
        Follows(o => lr_scheduler.MultiStepLR(o, [3, 7], 0.5), t => t < 3 ? 1 : t < 7 ? 0.5 : 0.25);
        Follows(o => lr_scheduler.PolynomialLR(o, 10, 2), t => Math.Pow(1 - (Math.Min(t, 10) / 10.0), 2));
    }

    [Fact]
    public void The_schedules_of_transformers_warm_up_and_fall()
    {
        Follows(o => Schedules.Constant(o, 4), t => t < 4 ? (t + 1) / 4.0 : 1);
        Follows(o => Schedules.Linear(o, 4, 10, 0.1), t => t < 4 ? (t + 1) / 4.0 : 1 - (0.9 * Math.Min(6, t - 4) / 6));
        Follows(o => Schedules.Cosine(o, 2, 10), t => t < 2 ? (t + 1) / 2.0 : (1 + Math.Cos(Math.PI * Math.Min(8, t - 2) / 8)) / 2);
        Follows(o => Schedules.InverseSquareRoot(o, 4), t => Math.Min((t + 1) / 4.0, Math.Sqrt(4 / (t + 1.0))));
    }

    [Fact]
    public void An_epoch_can_be_jumped_to()
    {
        using Parameter p = new(ones(1));
        using var optimizer = optim.SGD([p], 1);
        lr_scheduler.LRScheduler scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 8);
        scheduler.step(4);
        Assert.Equal(0.5, scheduler.get_last_lr().Single(), 1e-12);
    }

    [Fact]
    public void Wrong_settings_are_refused()
    {
        using Parameter p = new(ones(1));
        using var optimizer = optim.SGD([p], 1);
        Assert.Throws<ArgumentException>(() => lr_scheduler.LinearLR(optimizer, 0));
        Assert.Throws<ArgumentException>(() => lr_scheduler.CosineAnnealingLR(optimizer, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => lr_scheduler.StepLR(optimizer, 0));
        Assert.Throws<ArgumentException>(() => lr_scheduler.SequentialLR(optimizer, [], [3]));
    }

    private static void Follows(Func<Optimizer, lr_scheduler.LRScheduler> make, Func<int, double> factor)
    {
        using Parameter a = new(ones(1)), b = new(ones(1));
        using var optimizer = optim.SGD([new SGD.ParamGroup { Parameters = [a] }, new SGD.ParamGroup([b], lr: 0.2)], 0.2);
        lr_scheduler.LRScheduler scheduler = make(optimizer);
        for (int t = 0; t <= 14; t++)
        {
            Assert.All(optimizer.ParamGroups, g => Assert.Equal(0.2 * factor(t), g.LearningRate, 1e-12));
            scheduler.step();
        }
    }
}
