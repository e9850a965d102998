using Recsys.Diffusion.Paths;

namespace Recsys.Diffusion.Solvers;

/// <summary>
/// Euler's step, then the mean of the velocities at both its ends (Karras et al. 2022, algorithm 1): two evaluations a step, but one
/// in the last, whose end is the data itself.
/// </summary>
public sealed class Heun : ISolver
{
    public ISolverRun Begin(INoisePath path, IReadOnlyList<double> times, INoise noise) => new Run(path, times);

    private sealed class Run(INoisePath path, IReadOnlyList<double> times) : ISolverRun
    {
        public Tensor Step(Tensor x, int step, Denoise denoise)
        {
            double from = times[step], to = times[step + 1];
            var start = Euler.Velocity(path, from, denoise(x, from));
            var guess = x + (start * (to - from));
            if (to == 0)
            {
                return guess;
            }

            var end = Euler.Velocity(path, to, denoise(guess, to));
            return x + ((start + end) * ((to - from) / 2));
        }
    }
}
