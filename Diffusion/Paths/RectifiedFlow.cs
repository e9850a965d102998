namespace Recsys.Diffusion.Paths;

/// <summary>
/// The straight line between data and noise: x_t = (1 − t) x0 + t eps (Liu et al. 2023; Lipman et al. 2023), in the direction of
/// Stable Diffusion 3: data at 0, noise at 1.
/// </summary>
public sealed class RectifiedFlow : INoisePath
{
    public double MaxTime => 1;

    public PathPoint At(double time) => new(1 - time, time, -1, 1);

    public double TimeInput(double time) => 1000 * time;
}
