using Recsys.Diffusion.Paths;

namespace Recsys.Diffusion.Solvers;

/// <summary>
/// DDIM (Song et al. 2021, equation 12) on any path: the clean picture and the noise put together again at the next time. With
/// <paramref name="eta"/> above 0 a part of the noise is drawn anew; 1 is DDPM's ancestral sampling.
/// </summary>
public sealed class Ddim(double eta = 0) : ISolver
{
    public ISolverRun Begin(INoisePath path, IReadOnlyList<double> times, INoise noise) => new Run(path, times, noise, eta);

    private sealed class Run(INoisePath path, IReadOnlyList<double> times, INoise noise, double eta) : ISolverRun
    {
        public Tensor Step(Tensor x, int step, Denoise denoise)
        {
            var (now, next) = (path.At(times[step]), path.At(times[step + 1]));
            var at = denoise(x, times[step]);

            // Equation 16; the paper's alpha is our alpha squared.
            double fresh = eta == 0 || next.Sigma == 0 ? 0
                : eta * (next.Sigma / now.Sigma) * Math.Sqrt(Math.Max(0, 1 - Math.Pow(now.Alpha / next.Alpha, 2)));
            var moved = (at.X0 * next.Alpha) + (at.Eps * Math.Sqrt(Math.Max(0, (next.Sigma * next.Sigma) - (fresh * fresh))));
            return fresh == 0 ? moved : moved + (noise.Normal([.. x.shape.Skip(1)]) * fresh);
        }
    }
}
