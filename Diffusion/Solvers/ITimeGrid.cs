using Recsys.Diffusion.Paths;

namespace Recsys.Diffusion.Solvers;

/// <summary>The times that a solver visits: always an explicit falling list that ends in 0, so that no solver does time
/// arithmetic.</summary>
public interface ITimeGrid
{
    /// <summary>[steps + 1] falling times, the last one 0.</summary>
    double[] Times(INoisePath path, int steps);
}

/// <summary>Equal steps from the path's end to 0.</summary>
public sealed class LinearGrid : ITimeGrid
{
    public double[] Times(INoisePath path, int steps) =>
        [.. Enumerable.Range(0, steps + 1).Select(i => path.MaxTime * (steps - i) / steps)];
}

/// <summary>DDIM's own spacing: every (T / steps)-th of T noising steps, counted from the first one (Song et al. 2021, appendix
/// D.2).</summary>
public sealed class LeadingGrid : ITimeGrid
{
    public double[] Times(INoisePath path, int steps)
    {
        double stride = Math.Floor(path.MaxTime / steps);
        return [.. Enumerable.Range(0, steps).Select(i => ((steps - 1 - i) * stride) + 1), 0];
    }
}

/// <summary>EDM's spacing: equal steps of σ^(1/ρ), then 0 (Karras et al. 2022, equation 5).</summary>
public sealed class KarrasGrid(double min = .002, double rho = 7) : ITimeGrid
{
    public double[] Times(INoisePath path, int steps)
    {
        double high = Math.Pow(path.MaxTime, 1 / rho), low = Math.Pow(min, 1 / rho);
        return [.. Enumerable.Range(0, steps).Select(i => Math.Pow(high + ((low - high) * i / Math.Max(1, steps - 1)), rho)), 0];
    }
}
