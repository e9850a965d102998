namespace Recsys.Diffusion.Paths;

/// <summary>Where a path stands at one time: x_t = Alpha · x0 + Sigma · eps, and both coefficients' derivatives by time.</summary>
public readonly record struct PathPoint(double Alpha, double Sigma, double AlphaRate, double SigmaRate);

/// <summary>
/// A path from data to noise. Time 0 is the data (Alpha 1, Sigma 0); time runs up to <see cref="MaxTime"/>, the noise that sampling
/// starts from. Schedules are doubles; only tensors are float32.
/// </summary>
public interface INoisePath
{
    double MaxTime { get; }

    /// <param name="time">0 to <see cref="MaxTime"/>.</param>
    PathPoint At(double time);

    /// <summary>The time as the network receives it: 0 to about 1,000, the scale that sinusoidal embeddings are made for.</summary>
    double TimeInput(double time);
}
