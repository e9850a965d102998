using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;

namespace Recsys.Diffusion.Solvers;

/// <summary>What a solver asks of a model: the clean picture and the noise in <paramref name="x"/>, guidance included.</summary>
public delegate Denoised Denoise(Tensor x, double time);

/// <summary>Turns noise into a picture along a time grid. What a solver remembers lives in the run, so no reset can be forgotten.</summary>
public interface ISolver
{
    /// <param name="times">[steps + 1] falling, the last one 0.</param>
    /// <param name="noise">The only source of randomness of stochastic solvers.</param>
    ISolverRun Begin(INoisePath path, IReadOnlyList<double> times, INoise noise);
}

/// <summary>One sampling run.</summary>
public interface ISolverRun
{
    /// <summary>From times[step] to times[step + 1].</summary>
    Tensor Step(Tensor x, int step, Denoise denoise);
}
