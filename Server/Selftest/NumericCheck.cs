using Recsys.Torch;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <param name="Error">Largest difference, relative to the largest magnitude of the reference (absolute where that is below 1).</param>
internal sealed record CheckResult(string Name, double Error, double Limit, string? Fault = null)
{
    public bool Passed => Fault is null && Error <= Limit;
}

/// <summary>One operator against its own result in float64 on the CPU, and its gradient against central differences.</summary>
/// <param name="Inputs">Shapes of the inputs; values are seeded normals.</param>
internal sealed record NumericCheck(string Name, long[][] Inputs, Func<Tensor[], Tensor> Run, bool Gradient = true)
{
    private const double ForwardLimit = 2e-4, GradientLimit = 1e-5, Step = 1e-5;

    public IEnumerable<CheckResult> Check(Device device, int seed)
    {
        yield return Guard(Name, ForwardLimit, () => Forward(device, seed));
        yield return Guard(Name + ", again", 0, () => Repeat(device, seed));
        if (Gradient)
        {
            yield return Guard(Name + ", gradient", GradientLimit, () => Backward(seed));
        }
    }

    private double Forward(Device device, int seed)
    {
        using var scope = NewDisposeScope();
        var inputs = Draw(seed);
        var expected = Run(inputs);
        var actual = Run([.. inputs.Select(input => input.to(ScalarType.Float32).to(device))]).to(CPU).to(ScalarType.Float64);
        return Relative(actual, expected);
    }

    /// <summary>The same inputs twice: the same bytes.</summary>
    private double Repeat(Device device, int seed)
    {
        using var scope = NewDisposeScope();
        var inputs = Draw(seed).Select(input => input.to(ScalarType.Float32).to(device)).ToArray();
        return (Run(inputs) - Run(inputs)).abs().max().to(CPU).ToDouble();
    }

    private double Backward(int seed)
    {
        using var scope = NewDisposeScope();
        var inputs = Draw(seed).Select(input => input.requires_grad_()).ToArray();
        Run(inputs).square().sum().backward();
        double worst = 0;
        foreach (var input in inputs)
        {
            var gradient = input.grad!.reshape(-1);
            var flat = input.detach().reshape(-1);
            for (long i = 0; i < flat.shape[0]; i += Math.Max(1, flat.shape[0] / 7))
            {
                using var inner = NewDisposeScope();
                using var quiet = no_grad();
                double At(double shift)
                {
                    var moved = flat.clone();
                    moved[i] += shift;
                    var replaced = inputs.Select(other => ReferenceEquals(other, input) ? moved.reshape(input.shape) : other.detach()).ToArray();
                    return Run(replaced).square().sum().ToDouble();
                }

                double numeric = (At(Step) - At(-Step)) / (2 * Step);
                double exact = gradient[i].ToDouble();
                worst = Math.Max(worst, Math.Abs(numeric - exact) / Math.Max(1, Math.Abs(numeric)));
            }
        }

        return worst;
    }

    private Tensor[] Draw(int seed)
    {
        var generator = new Generator((ulong)seed, CPU);
        return [.. Inputs.Select(shape => randn(shape, ScalarType.Float64, generator: generator))];
    }

    private static double Relative(Tensor actual, Tensor expected) =>
        (actual - expected).abs().max().ToDouble() / Math.Max(1, expected.abs().max().ToDouble());

    private static CheckResult Guard(string name, double limit, Func<double> run)
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
}
