using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// The schedules of transformer training, each with a linear warm-up, over TorchSharp's names; step once a batch. Rates are factors of
/// the optimiser's own.
/// </summary>
public static class Schedules
{
    /// <summary>(t + 1) / warmUp, then 1.</summary>
    public static optim.lr_scheduler.LRScheduler Constant(optim.Optimizer optimizer, int warmUp = 0) => Make(optimizer, warmUp, _ => 1);

    /// <summary>A warm-up, then a straight line to <paramref name="least"/> at step <paramref name="total"/>.</summary>
    public static optim.lr_scheduler.LRScheduler Linear(optim.Optimizer optimizer, int warmUp, int total, double least = 0) =>
        Make(optimizer, warmUp, t => least + ((1 - least) * (1 - Progress(t, warmUp, total))));

    /// <summary>A warm-up, then half a cosine to <paramref name="least"/> at step <paramref name="total"/> (Loshchilov and Hutter 2017).</summary>
    public static optim.lr_scheduler.LRScheduler Cosine(optim.Optimizer optimizer, int warmUp, int total, double least = 0) =>
        Make(optimizer, warmUp, t => least + ((1 - least) * (1 + Math.Cos(Math.PI * Progress(t, warmUp, total))) / 2));

    /// <summary>A warm-up, then √(warmUp / (t + 1)) (Vaswani et al. 2017, equation 3, in units of its peak).</summary>
    public static optim.lr_scheduler.LRScheduler InverseSquareRoot(optim.Optimizer optimizer, int warmUp) =>
        Make(optimizer, warmUp, t => Math.Sqrt(Math.Max(1, warmUp) / (t + 1.0)));

    private static optim.lr_scheduler.LRScheduler Make(optim.Optimizer optimizer, int warmUp, Func<int, double> after)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(warmUp);
        return optim.lr_scheduler.LambdaLR(optimizer, t => t < warmUp ? (t + 1.0) / warmUp : after(t));
    }

    private static double Progress(int t, int warmUp, int total) => Math.Clamp((t - warmUp) / (double)Math.Max(1, total - warmUp), 0, 1);
}
