using Recsys.Diffusion.Paths;

namespace Recsys.Diffusion.Predictions;

/// <summary>
/// What the network is trained to output. Every parameterisation here is a mix p · x0 + q · eps whose weights depend only on the
/// path, so targets and decoding follow from the two weights: with x_t = α x0 + σ eps, solving the 2 × 2 system gives x0 and eps back.
/// </summary>
public interface IPrediction
{
    /// <summary>Weights (p, q) of x0 and eps in the network's output.</summary>
    (double X0, double Eps) Mix(PathPoint point);
}

/// <summary>A network's output read as clean picture and noise, whatever it predicts.</summary>
public readonly record struct Denoised(Tensor X0, Tensor Eps);

public static class PredictionExtensions
{
    /// <summary>What the network should have said.</summary>
    public static Tensor Target(this IPrediction prediction, Tensor x0, Tensor eps, PathPoint point)
    {
        var (p, q) = prediction.Mix(point);
        return (x0 * p) + (eps * q);
    }

    /// <summary>Clean picture and noise that a network's output stands for.</summary>
    /// <exception cref="CatalogException">The output says nothing about them here (eps-prediction where the picture's share is 0,
    /// say).</exception>
    public static Denoised Decode(this IPrediction prediction, Tensor output, Tensor xt, PathPoint point)
    {
        var (p, q) = prediction.Mix(point);
        double determinant = (point.Alpha * q) - (point.Sigma * p);
        if (Math.Abs(determinant) < 1e-12)
        {
            throw CatalogException.Invalid(
                $"{prediction.GetType().Name} is singular at alpha {point.Alpha:g6}, sigma {point.Sigma:g6}: the output does not "
                + "determine the picture. Use a prediction of velocity or v on this path.");
        }

        return new(((xt * q) - (output * point.Sigma)) / determinant, ((output * point.Alpha) - (xt * p)) / determinant);
    }
}
