using Recsys.Torch;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <summary>
/// A module in float32 on the device against the same weights in float64 on the CPU: its result, and the gradients of all parameters
/// and of its input.
/// </summary>
internal sealed record ModuleCheck(string Name, long[] Input, Func<nn.Module<Tensor, Tensor>> Make) : ISelfCheck
{
    private const double Limit = 5e-4;

    public IEnumerable<CheckResult> Check(Device device, int seed)
    {
        yield return CheckResult.Of(Name, Limit, () => Compare(device, seed));
    }

    private double Compare(Device device, int seed)
    {
        using var scope = NewDisposeScope();
        manual_seed(seed);
        using var reference = Make();
        using var module = Make();
        module.load_state_dict(reference.state_dict());
        reference.to(ScalarType.Float64);
        module.to(device);
        var x = randn(Input, ScalarType.Float64);
        var expected = Results(reference, x);
        var actual = Results(module, x.to(ScalarType.Float32).to(device));
        return expected.Zip(actual).Max(pair => CheckResult.Relative(pair.Second, pair.First));
    }

    private static Tensor Gradient(Tensor x) => x.grad ?? throw new InvalidOperationException($"no gradient for [{string.Join(", ", x.shape)}]");

    private static List<Tensor> Results(nn.Module<Tensor, Tensor> module, Tensor x)
    {
        x = x.detach().requires_grad_();
        var y = module.call(x);
        y.square().sum().backward();
        return [y.detach(), Gradient(x), .. module.parameters().Select(Gradient)];
    }
}
