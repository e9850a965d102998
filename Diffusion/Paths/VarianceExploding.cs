namespace Recsys.Diffusion.Paths;

/// <summary>Data plus growing noise: x_t = x0 + t eps, the time being the noise level itself (Karras et al. 2022, section 3).</summary>
public sealed class VarianceExploding(double maxTime = 80) : INoisePath
{
    public double MaxTime => maxTime;

    public PathPoint At(double time) => new(1, time, 0, 1);

    /// <summary>EDM's c_noise = ln(σ)/4, stretched to the scale of the sinusoidal embedding.</summary>
    public double TimeInput(double time) => 250 * Math.Log(Math.Max(time, 1e-8));
}
