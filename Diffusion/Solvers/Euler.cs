using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;

namespace Recsys.Diffusion.Solvers;

/// <summary>dx/dt = α' x0 + σ' eps, one evaluation a step.</summary>
public sealed class Euler : ISolver
{
    public ISolverRun Begin(INoisePath path, IReadOnlyList<double> times, INoise noise) => new Run(path, times);

    /// <summary>The probability-flow velocity at a point of the path.</summary>
    internal static Tensor Velocity(INoisePath path, double time, Denoised at)
    {
        var point = path.At(time);
        return (at.X0 * point.AlphaRate) + (at.Eps * point.SigmaRate);
    }

    private sealed class Run(INoisePath path, IReadOnlyList<double> times) : ISolverRun
    {
        public Tensor Step(Tensor x, int step, Denoise denoise) =>
            x + (Velocity(path, times[step], denoise(x, times[step])) * (times[step + 1] - times[step]));
    }
}
