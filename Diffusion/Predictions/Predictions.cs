using Recsys.Diffusion.Paths;

namespace Recsys.Diffusion.Predictions;

/// <summary>The noise itself (Ho et al. 2020, equation 14). Singular where the picture's share is 0.</summary>
public sealed class EpsPrediction : IPrediction
{
    public (double X0, double Eps) Mix(PathPoint point) => (0, 1);
}

/// <summary>The clean picture (Ramesh et al. 2022, section 2.2). Singular at time 0, where a solver never asks.</summary>
public sealed class X0Prediction : IPrediction
{
    public (double X0, double Eps) Mix(PathPoint point) => (1, 0);
}

/// <summary>v = α eps − σ x0 (Salimans and Ho 2022, appendix D).</summary>
public sealed class VPrediction : IPrediction
{
    public (double X0, double Eps) Mix(PathPoint point) => (-point.Sigma, point.Alpha);
}

/// <summary>eps − x0: the velocity of the straight path, in the direction from data to noise (Esser et al. 2024, equation 13).</summary>
public sealed class VelocityPrediction : IPrediction
{
    public (double X0, double Eps) Mix(PathPoint point) => (-1, 1);
}

/// <summary>
/// EDM's preconditioned output (Karras et al. 2022, equations 7 and 24, carried over to any path):
/// F = (σ x0/d − α d eps) / √(α² d² + σ²).
/// It has variance 1 at every time; close to the noise it is the picture, close to the data the noise, so the network never has to pass
/// full noise through to its output. With d = 1 it is v-prediction, normalised and turned round.
/// </summary>
/// <param name="deviation">d, the data's standard deviation.</param>
public sealed class EdmPrediction(double deviation = .5) : IPrediction
{
    public (double X0, double Eps) Mix(PathPoint point)
    {
        double total = Math.Sqrt((point.Alpha * point.Alpha * deviation * deviation) + (point.Sigma * point.Sigma));
        return (point.Sigma / (deviation * total), -point.Alpha * deviation / total);
    }
}
