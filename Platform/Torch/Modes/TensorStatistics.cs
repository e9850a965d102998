using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>What a set of values looks like. Mean, deviation and largest magnitude are over the finite ones.</summary>
/// <param name="Name">The module or parameter they belong to.</param>
/// <param name="Count">All values.</param>
/// <param name="NaN">Values that are not a number.</param>
/// <param name="Infinite">Values that are infinite; a mask of scores has some by right.</param>
/// <param name="Mean">0 where no value is finite.</param>
/// <param name="Deviation">Of the population.</param>
/// <param name="LargestMagnitude">max |x|.</param>
public sealed record TensorStatistics(string Name, long Count, long NaN, long Infinite, double Mean, double Deviation, double LargestMagnitude)
{
    /// <summary>Euclidean length of the finite values.</summary>
    public double Norm => Math.Sqrt(Math.Max(0, Count - NaN - Infinite) * ((Mean * Mean) + (Deviation * Deviation)));

    /// <summary>The statistics of a floating-point tensor, on any device, in float64.</summary>
    public static TensorStatistics Of(string name, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        long nan = tensor.isnan().sum().ToInt64(), infinite = tensor.isinf().sum().ToInt64();
        long count = tensor.numel(), finite = count - nan - infinite;
        if (finite == 0)
        {
            return new(name, count, nan, infinite, 0, 0, 0);
        }

        var values = tensor.detach().to(ScalarType.Float64);
        values = finite < count ? values.masked_select(values.isfinite()) : values;
        return new(name, count, nan, infinite, values.mean().ToDouble(), values.std(unbiased: false).ToDouble(), values.abs().max().ToDouble());
    }

    /// <summary>Both sets of values as one.</summary>
    internal TensorStatistics With(TensorStatistics other)
    {
        double mine = Count - NaN - Infinite, theirs = other.Count - other.NaN - other.Infinite, all = Math.Max(1, mine + theirs);
        double mean = ((mine * Mean) + (theirs * other.Mean)) / all;
        double square = ((mine * ((Mean * Mean) + (Deviation * Deviation))) + (theirs * ((other.Mean * other.Mean) + (other.Deviation * other.Deviation)))) / all;
        return new(
            Name, Count + other.Count, NaN + other.NaN, Infinite + other.Infinite, mean, Math.Sqrt(Math.Max(0, square - (mean * mean))),
            Math.Max(LargestMagnitude, other.LargestMagnitude));
    }
}

/// <summary>A value that is not a number, and where it came from.</summary>
public sealed class NotANumberException : InvalidOperationException
{
    internal NotANumberException(string module, string? operatorName, string message)
        : base(message) => (Module, Operator) = (module, operatorName);

    /// <summary>Dotted name of the module.</summary>
    public string Module { get; }

    /// <summary>The operator that gave it; null for a gradient.</summary>
    public string? Operator { get; }
}
