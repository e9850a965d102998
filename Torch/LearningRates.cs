namespace Recsys.Torch;

/// <summary>Learning rates over a training.</summary>
public static class LearningRates
{
    /// <summary>The share of the peak rate at a step: a linear rise, then half a cosine (Loshchilov and Hutter 2017).</summary>
    /// <param name="step">From 0.</param>
    /// <param name="warmup">Steps of the rise; 0: none.</param>
    /// <param name="floor">Share of the peak at the end.</param>
    public static double WarmupCosine(int step, double warmup, int steps, double floor = 0) => step < warmup
        ? (step + 1) / warmup
        : floor + ((1 - floor) * 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / Math.Max(1, steps - warmup))));

    /// <summary>Sets the rate of every group of an optimiser's parameters.</summary>
    public static void SetLearningRate(this optim.Optimizer optimizer, double rate)
    {
        foreach (var group in optimizer.ParamGroups)
        {
            group.LearningRate = rate;
        }
    }
}
