using System.Diagnostics;

namespace Recsys.Torch;

/// <summary>What a device gave beside what the CPU gave for the same weights and inputs.</summary>
/// <param name="Name">What was computed.</param>
/// <param name="Error">Of outputs and of each gradient the largest root mean square difference, as a share of the root mean square.</param>
/// <param name="Bound">What is allowed: devices add in other orders, and bf16 has 8 bits.</param>
/// <param name="Milliseconds">On the device, forward and backward, the second of two passes.</param>
public sealed record DeviceCheck(string Name, double Error, double Bound, double Milliseconds)
{
    /// <summary>Bounds for float32 (convolutions on CUDA take TF32, with 11 bits) and for bf16 beside float32: through a U-Net's twenty
    /// layers the CPU's own bf16 gradients were off by .062.</summary>
    public const double Float32 = 5e-3, BFloat16 = .1;

    public bool Passed => Error <= Bound;

    public override string ToString() =>
        $"{Name}: {(Passed ? "" : "WRONG, ")}off by {Error:G2} of the values, allowed {Bound:G2}; {Milliseconds:F1} ms";

    /// <summary>Runs a module on the CPU in float32, and a copy of it on the device, forward and backward.</summary>
    /// <param name="make">A new module; its weights are then those of the first.</param>
    /// <param name="run">The outputs of a module on a device. Seeded: the same inputs at each call.</param>
    public static DeviceCheck Of<T>(string name, Func<T> make, Func<T, Device, Tensor> run, Device device, bool bfloat16 = false)
        where T : nn.Module
    {
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        using T here = make(), there = make();
        there.Restore(here.state_dict());
        there.MoveTo(device);
        var (known, knownGradients) = Pass(here, run, CPU);
        using var narrow = MixedPrecision.Scope(bfloat16);
        Pass(there, run, device); // first calls choose kernels
        long started = Stopwatch.GetTimestamp();
        var (found, foundGradients) = Pass(there, run, device);
        double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        double error = knownGradients.Keys.Max(key => foundGradients.TryGetValue(key, out var gradient)
            ? Difference(gradient, knownGradients[key])
            : double.PositiveInfinity);
        return new DeviceCheck(
            name, Math.Max(error, Difference(found, known)), bfloat16 ? BFloat16 : Float32, milliseconds);
    }

    /// <summary>Answers, which have no gradients.</summary>
    /// <param name="known">On the CPU in float32.</param>
    /// <param name="run">On the device.</param>
    public static DeviceCheck OfAnswers(string name, Func<Tensor> known, Func<Tensor> run, bool bfloat16)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        run(); // first calls choose kernels
        long started = Stopwatch.GetTimestamp();
        var found = run();
        double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return new DeviceCheck(name, Difference(found, known()), bfloat16 ? BFloat16 : Float32, milliseconds);
    }

    // The gradients of Σ y · cos(place): no output's error hides behind another's.
    private static (Tensor Output, Dictionary<string, Tensor> Gradients) Pass<T>(T module, Func<T, Device, Tensor> run, Device device)
        where T : nn.Module
    {
        module.zero_grad();
        var output = run(module, device).to(ScalarType.Float32);
        var weights = arange(output.numel(), ScalarType.Float32, output.device).cos().view(output.shape);
        (output * weights).sum().backward();
        return (output.detach().cpu(), module.named_parameters()
            .Where(parameter => parameter.parameter.grad is not null)
            .ToDictionary(parameter => parameter.name, parameter => parameter.parameter.grad!.detach().cpu()));
    }

    private static double Difference(Tensor found, Tensor known)
    {
        double error = (found - known).norm().ToDouble(), size = known.norm().ToDouble();
        return double.IsNaN(error) ? double.PositiveInfinity : error / Math.Max(size, 1e-6);
    }
}
