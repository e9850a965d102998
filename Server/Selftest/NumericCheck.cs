using Recsys.Torch;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <summary>One operator against its own result in float64 on the CPU, and its gradient against central differences.</summary>
/// <param name="Inputs">Shapes of the inputs; values are seeded normals.</param>
/// <param name="Gradient">False where there is none, or none that differences could find.</param>
/// <param name="Positive">The inputs' magnitudes, and a little more.</param>
/// <param name="Repeats">False where the library below gives other last bits from run to run.</param>
internal sealed record NumericCheck(string Name, long[][] Inputs, Func<Tensor[], Tensor> Run, bool Gradient = true, bool Positive = false, bool Repeats = true) : ISelfCheck
{
    private const double ForwardLimit = 2e-4, GradientLimit = 1e-5, Step = 1e-5;

    public IEnumerable<CheckResult> Check(Device device, int seed)
    {
        yield return CheckResult.Of(Name, ForwardLimit, () => Forward(device, seed));
        if (Repeats)
        {
            yield return CheckResult.Of(Name + ", again", 0, () => Repeat(device, seed));
        }

        if (Gradient)
        {
            yield return CheckResult.Of(Name + ", gradient", GradientLimit, () => Backward(seed));
        }
    }

    private double Forward(Device device, int seed)
    {
        using var scope = NewDisposeScope();
        var inputs = Draw(seed);
        var expected = Run(inputs);
        var actual = Run([.. inputs.Select(input => input.to(ScalarType.Float32).to(device))]).to(CPU).to(ScalarType.Float64);
        return CheckResult.Relative(actual, expected);
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
            var gradient = (input.grad ?? throw new InvalidOperationException("an input has no gradient")).reshape(-1);
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
        using var generator = new Generator((ulong)seed, CPU);
        return [.. Inputs.Select(shape => randn(shape, ScalarType.Float64, generator: generator)).Select(x => Positive ? x.abs() + 0.1 : x)];
    }
}
