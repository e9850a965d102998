using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Guidance;
using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;

namespace Recsys.Diffusion.Solvers;

/// <summary>Runs a solver over a grid with a network, a prediction and a guidance: everything that a recipe composes.</summary>
public static class Sampler
{
    /// <param name="denoiser">Already in evaluation mode.</param>
    /// <param name="given">The batch's conditions.</param>
    /// <param name="none">As many null conditions.</param>
    /// <param name="shape">[channels, side, side] of one latent.</param>
    /// <param name="onStep">Called after each step with the steps done.</param>
    /// <param name="cancel">Looked at before every evaluation of the network.</param>
    /// <returns>[batch, channels, side, side]</returns>
    public static Tensor Run(
        INoisePath path,
        IPrediction prediction,
        ISolver solver,
        double[] times,
        IGuidance guidance,
        IDenoiser denoiser,
        Cond given,
        Cond none,
        INoise noise,
        long[] shape,
        Action<int>? onStep,
        CancellationToken cancel)
    {
        using var all = NewDisposeScope();
        var run = solver.Begin(path, times, noise);
        var x = noise.Normal(shape) * path.At(times[0]).Sigma; // [batch, channels, side, side]

        Denoised Denoise(Tensor at, double time)
        {
            cancel.ThrowIfCancellationRequested();
            Tensor Net(Tensor input, Cond cond) => denoiser.Predict(
                input, full([input.shape[0]], (float)path.TimeInput(time), device: input.device), cond);
            return prediction.Decode(guidance.Apply(Net, at, given, none), at, path.At(time));
        }

        for (int step = 0; step < times.Length - 1; step++)
        {
            using var scope = NewDisposeScope();
            x = run.Step(x, step, Denoise).MoveToOuterDisposeScope();
            onStep?.Invoke(step + 1);
        }

        return x.MoveToOuterDisposeScope();
    }
}
