using Recsys.Torch;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <param name="Error">Largest difference, relative to the largest magnitude of the reference (absolute where that is below 1).</param>
internal sealed record CheckResult(string Name, double Error, double Limit, string? Fault = null)
{
    public bool Passed => Fault is null && Error <= Limit;

    /// <summary>Runs a check; what it throws is its fault.</summary>
    public static CheckResult Of(string name, double limit, Func<double> run)
    {
        try
        {
            double error = run();
            return new CheckResult(name, error, limit, double.IsNaN(error) ? "not a number" : null);
        }
        catch (Exception e) when (e is TorchException or InvalidOperationException or ArgumentException)
        {
            return new CheckResult(name, double.NaN, limit, e.Message);
        }
    }

    /// <summary>The largest difference of two tensors of one shape, on any device.</summary>
    public static double Relative(Tensor actual, Tensor expected)
    {
        if (!actual.shape.AsSpan().SequenceEqual(expected.shape))
        {
            throw new InvalidOperationException($"shape [{string.Join(", ", actual.shape)}], expected [{string.Join(", ", expected.shape)}]");
        }

        var reference = expected.to(CPU).to(ScalarType.Float64);
        return reference.numel() == 0 ? 0
            : (actual.to(CPU).to(ScalarType.Float64) - reference).abs().max().ToDouble() / Math.Max(1, reference.abs().max().ToDouble());
    }
}

/// <summary>Something that can be checked on a device.</summary>
internal interface ISelfCheck
{
    IEnumerable<CheckResult> Check(Device device, int seed);
}
