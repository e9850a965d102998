using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Solvers;

namespace Recsys.Diffusion.Tests;

/// <summary>
/// Data N(mean, variance) in one dimension, whose exact denoiser is known:
/// E[x0 | x_t] = m + α s² (x_t − α m) / (α² s² + σ²). With it a sampler's result is a closed form and needs no network.
/// </summary>
internal static class Gaussian
{
    public static Denoise Exact(INoisePath path, double variance, double mean = 0) => (x, time) =>
    {
        var (alpha, sigma, _, _) = path.At(time);
        var x0 = ((x - (alpha * mean)) * (alpha * variance / ((alpha * alpha * variance) + (sigma * sigma)))) + mean;
        return new Denoised(x0, (x - (x0 * alpha)) / sigma);
    };

    /// <summary>What a start of 1 (a double) becomes: for data of mean 0 the solver is linear, so this is the scale
    /// of every start.</summary>
    public static double Scale(ISolver solver, INoisePath path, double[] times, double variance, double start = 1)
    {
        using var scope = NewDisposeScope();
        var run = solver.Begin(path, times, NoNoise.Instance);
        var x = tensor(new[] { start });
        for (int step = 0; step < times.Length - 1; step++)
        {
            x = run.Step(x, step, Exact(path, variance));
        }

        return x.item<double>();
    }
}

/// <summary>Fails where a deterministic solver draws.</summary>
internal sealed class NoNoise : INoise
{
    public static readonly NoNoise Instance = new();

    public Tensor Normal(params long[] shape) => throw new InvalidOperationException("a deterministic solver drew noise");
}
