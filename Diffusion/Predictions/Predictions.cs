namespace Recsys.Diffusion;

/// <summary>The noise itself (Ho et al. 2020, equation 14). Singular where the picture's share is 0.</summary>
public sealed class EpsPrediction : IPrediction
{
    public string Name => "eps";

    public (double X0, double Eps) Mix(PathPoint point) => (0, 1);
}

/// <summary>The clean picture (Ramesh et al. 2022, section 2.2). Singular at time 0, where a solver never asks.</summary>
public sealed class X0Prediction : IPrediction
{
    public string Name => "x0";

    public (double X0, double Eps) Mix(PathPoint point) => (1, 0);
}

/// <summary>v = α eps − σ x0 (Salimans and Ho 2022, appendix D).</summary>
public sealed class VPrediction : IPrediction
{
    public string Name => "v";

    public (double X0, double Eps) Mix(PathPoint point) => (-point.Sigma, point.Alpha);
}

/// <summary>eps − x0: the velocity of the straight path, in the direction from data to noise (Esser et al. 2024, equation 13).</summary>
public sealed class VelocityPrediction : IPrediction
{
    public string Name => "velocity";

    public (double X0, double Eps) Mix(PathPoint point) => (-1, 1);
}
