using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Activations.</summary>
internal static class ActivationChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("relu", [[4, 11]], x => F.relu(x[0])),
        new("gelu", [[4, 11]], x => F.gelu(x[0])),
        new("gelu by tanh", [[4, 11]], x => nn.GELU(Torch.Modules.GELU.Approximate.tanh).call(x[0])),
        new("silu", [[4, 11]], x => F.silu(x[0])),
        new("mish", [[4, 11]], x => F.mish(x[0])),
        new("leaky_relu", [[4, 11]], x => F.leaky_relu(x[0], 0.2)),
        new("elu", [[4, 11]], x => F.elu(x[0])),
        new("selu", [[4, 11]], x => F.selu(x[0])),
        new("celu", [[4, 11]], x => F.celu(x[0])),
        new("softplus", [[4, 11]], x => F.softplus(x[0])),
        new("softsign", [[4, 11]], x => F.softsign(x[0])),
        new("hardtanh", [[4, 11]], x => F.hardtanh(x[0])),
        new("hardswish", [[4, 11]], x => F.hardswish(x[0])),
        new("hardsigmoid", [[4, 11]], x => F.hardsigmoid(x[0])),
        new("relu6", [[4, 11]], x => F.relu6(x[0] * 4)),
        new("logsigmoid", [[4, 11]], x => F.logsigmoid(x[0])),
        new("hardshrink", [[4, 11]], x => F.hardshrink(x[0])),
        new("softshrink", [[4, 11]], x => F.softshrink(x[0])),
        new("tanhshrink", [[4, 11]], x => F.tanhshrink(x[0])),
        new("threshold", [[4, 11]], x => F.threshold(x[0], 0.1, 2)),
        new("glu", [[4, 12]], x => F.glu(x[0])),
        new("prelu", [[4, 5], [5]], x => F.prelu(x[0], x[1])),
        new("softmax", [[5, 19]], x => x[0].softmax(-1)),
        new("log_softmax", [[5, 19]], x => x[0].log_softmax(-1)),
        new("softmin", [[5, 19]], x => F.softmin(x[0], 0)),
        new("logsumexp", [[4, 11]], x => x[0].logsumexp(-1)),
    ];
}
