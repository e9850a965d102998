namespace Recsys.Diffusion.Paths;

/// <summary>
/// A variance-preserving DDPM path of T noising steps: time k is the state after k of them, so Alpha² at time k is the paper's
/// ᾱ_k and time 0 is clean data (no special case for "the step before the first"). Between whole times ln ᾱ is linear.
/// </summary>
public sealed class DiscretePath : INoisePath
{
    private readonly double[] _logAlphaBar;

    /// <param name="betas">[T] noise variance added by each step, each in (0, 1).</param>
    private DiscretePath(double[] betas)
    {
        Betas = betas;
        _logAlphaBar = new double[betas.Length + 1];
        for (int k = 0; k < betas.Length; k++)
        {
            _logAlphaBar[k + 1] = _logAlphaBar[k] + Math.Log(1 - betas[k]);
        }
    }

    /// <summary>[T]</summary>
    public double[] Betas { get; }

    public double MaxTime => Betas.Length;

    /// <summary>Betas from 1e-4 to 0.02 in equal steps (Ho et al. 2020, section 4).</summary>
    public static DiscretePath Linear(int steps = 1000, double first = 1e-4, double last = 0.02) =>
        new([.. Enumerable.Range(0, steps).Select(k => first + ((last - first) * k / (steps - 1)))]);

    /// <summary>ᾱ(t) = cos²((t + .008)/1.008 · π/2), betas capped at .999 (Nichol and Dhariwal 2021, equation 17).</summary>
    public static DiscretePath Cosine(int steps = 1000, double cap = .999)
    {
        static double Bar(double t) => Math.Pow(Math.Cos((t + .008) / 1.008 * Math.PI / 2), 2);
        return new(
            [.. Enumerable.Range(0, steps).Select(k => Math.Min(cap, 1 - (Bar((k + 1.0) / steps) / Bar((double)k / steps))))]);
    }

    public PathPoint At(double time)
    {
        int segment = Math.Clamp((int)Math.Ceiling(time) - 1, 0, Betas.Length - 1);
        double slope = _logAlphaBar[segment + 1] - _logAlphaBar[segment];
        double bar = Math.Exp(_logAlphaBar[segment] + ((time - segment) * slope));
        double alpha = Math.Sqrt(bar), sigma = Math.Sqrt(Math.Max(0, 1 - bar));
        return new(alpha, sigma, alpha * slope / 2, sigma == 0 ? double.PositiveInfinity : -bar * slope / (2 * sigma));
    }

    /// <summary>The papers count steps from 0, so the first noising step is input 0.</summary>
    public double TimeInput(double time) => Math.Max(0, time - 1) * 1000 / Betas.Length;
}
