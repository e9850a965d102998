using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>What the quantizer, the retrieval model and the denoiser are made of.</summary>
internal static class EngineChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("matmul", [[7, 33], [33, 5]], x => x[0].matmul(x[1])),
        new("bmm", [[3, 7, 9], [3, 9, 5]], x => x[0].bmm(x[1])),
        new("einsum bhqd,bhkd->bhqk", [[2, 3, 4, 8], [2, 3, 6, 8]], x => einsum("bhqd,bhkd->bhqk", x[0], x[1])),
        new("linear", [[6, 16], [8, 16], [8]], x => F.linear(x[0], x[1], x[2])),
        new("layer_norm", [[6, 16], [16], [16]], x => F.layer_norm(x[0], [16], x[1], x[2])),
        new("group_norm", [[2, 8, 5, 5], [8], [8]], x => F.group_norm(x[0], 4, x[1], x[2])),
        new("softmax", [[5, 19]], x => x[0].softmax(-1)),
        new("log_softmax", [[5, 19]], x => x[0].log_softmax(-1)),
        new("gelu", [[4, 11]], x => F.gelu(x[0])),
        new("silu", [[4, 11]], x => F.silu(x[0])),
        new("sigmoid", [[4, 11]], x => x[0].sigmoid()),
        new("tanh", [[4, 11]], x => x[0].tanh()),
        new("exp", [[4, 11]], x => x[0].exp()),
        new("logsumexp", [[4, 11]], x => x[0].logsumexp(-1)),
        new("conv2d 3x3", [[2, 3, 9, 9], [4, 3, 3, 3], [4]], x => F.conv2d(x[0], x[1], x[2], padding: [1, 1])),
        new("conv2d stride 2", [[2, 3, 8, 8], [4, 3, 3, 3], [4]], x => F.conv2d(x[0], x[1], x[2], strides: [2, 2], padding: [1, 1])),
        new("avg_pool2d", [[2, 3, 8, 8]], x => F.avg_pool2d(x[0], 2)),
        new("nearest upsampling", [[2, 3, 4, 4]], x => F.interpolate(x[0], scale_factor: [2, 2], mode: InterpolationMode.Nearest)),
        new("attention", [[2, 3, 6, 8], [2, 3, 6, 8], [2, 3, 6, 8]], x => F.scaled_dot_product_attention(x[0], x[1], x[2])),
        new("causal attention", [[2, 3, 6, 8], [2, 3, 6, 8], [2, 3, 6, 8]], x => F.scaled_dot_product_attention(x[0], x[1], x[2], is_casual: true)),
        new("self-attention over offsets", [[9, 3, 2, 8]], x => Fused.SelfAttention(x[0], tensor(new long[] { 0, 4, 9 }), causal: true)),
        new("attention over offsets", [[9, 2, 8], [7, 2, 8], [7, 2, 8]], x => Fused.Attention(x[0], x[1], x[2], tensor(new long[] { 0, 4, 9 }), tensor(new long[] { 0, 6, 7 }), causal: false)),
        new("mse_loss", [[5, 7], [5, 7]], x => F.mse_loss(x[0], x[1])),
        new("mean and variance", [[5, 7]], x => x[0].mean([1]) + x[0].var(1)),
        new("cumsum", [[5, 7]], x => x[0].cumsum(1)),
        new("cat, transpose, reshape", [[2, 3, 4], [2, 5, 4]], x => cat([x[0], x[1]], 1).transpose(1, 2).reshape(2, -1)),
        new("singular values", [[6, 4]], x => linalg.svd(x[0], fullMatrices: false).S, Gradient: false),
        new("sorted", [[5, 17]], x => x[0].sort(1).Values, Gradient: false),
        new("largest 3", [[5, 17]], x => x[0].topk(3, 1).values, Gradient: false),
    ];
}
