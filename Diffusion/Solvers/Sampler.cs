using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Guidance;
using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;

namespace Recsys.Diffusion.Solvers;

/// <summary>Draws with a network: what a recipe composes for it.</summary>
public sealed record Sampler(INoisePath Path, IPrediction Prediction, ISolver Solver, ITimeGrid Grid, IGuidance Guidance)
{
    /// <param name="denoiser">Already in evaluation mode.</param>
    /// <param name="given">The batch's conditions.</param>
    /// <param name="none">As many null conditions.</param>
    /// <param name="shape">[channels, side, side] of one latent.</param>
    /// <param name="onStep">Called after each step with the steps done.</param>
    /// <param name="cancel">Looked at before every evaluation of the network.</param>
    /// <returns>[batch, channels, side, side]</returns>
    public Tensor Run(
        IDenoiser denoiser, Cond given, Cond none, INoise noise, long[] shape, int steps, Action<int>? onStep, CancellationToken cancel)
    {
        using var all = NewDisposeScope();
        double[] times = Grid.Times(Path, steps);
        var run = Solver.Begin(Path, times, noise);
        var x = noise.Normal(shape) * Path.At(times[0]).Sigma; // [batch, channels, side, side]

        Denoised Denoise(Tensor at, double time)
        {
            cancel.ThrowIfCancellationRequested();
            Tensor Net(Tensor input, Cond cond) => denoiser.Predict(
                input, full([input.shape[0]], (float)Path.TimeInput(time), device: input.device), cond);
            return Prediction.Decode(Guidance.Apply(Net, at, given, none), at, Path.At(time));
        }

        for (int step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            x = run.Step(x, step, Denoise).MoveToOuterDisposeScope();
            onStep?.Invoke(step + 1);
        }

        return x.MoveToOuterDisposeScope();
    }
}
