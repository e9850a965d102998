using Recsys.Diffusion.Conditioners;

namespace Recsys.Diffusion.Denoisers;

/// <summary>The network: a noisy picture, its time and a condition in, the prediction out.</summary>
public interface IDenoiser
{
    /// <summary>Width of <see cref="Cond.Vec"/>.</summary>
    int ConditionDim { get; }

    /// <param name="x">[batch, channels, side, side]</param>
    /// <param name="time">[batch] the path's <see cref="INoisePath.TimeInput"/>.</param>
    /// <returns>[batch, channels, side, side] float32</returns>
    Tensor Predict(Tensor x, Tensor time, Cond cond);
}
