using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Normalisation and attention.</summary>
internal static class NetworkChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("layer_norm", [[6, 16], [16], [16]], x => F.layer_norm(x[0], [16], x[1], x[2])),
        new("group_norm", [[2, 8, 5, 5], [8], [8]], x => F.group_norm(x[0], 4, x[1], x[2])),
        new("batch_norm", [[6, 8, 5], [8], [8]], x => F.batch_norm(x[0], null, null, x[1], x[2], training: true)),
        new("instance_norm", [[2, 8, 5, 5], [8], [8]], x => F.instance_norm(x[0], weight: x[1], bias: x[2])),
        new("local_response_norm", [[2, 8, 5, 5]], x => F.local_response_norm(x[0], 3, 0.1)),
        new("normalize", [[6, 16]], x => F.normalize(x[0])),
        new("attention", [[2, 3, 6, 8], [2, 3, 6, 8], [2, 3, 6, 8]], x => F.scaled_dot_product_attention(x[0], x[1], x[2])),
        new("causal attention", [[2, 3, 6, 8], [2, 3, 6, 8], [2, 3, 6, 8]], x => F.scaled_dot_product_attention(x[0], x[1], x[2], is_casual: true)),
        new("attention with a mask", [[2, 3, 6, 8], [2, 3, 6, 8], [6, 6]], x => F.scaled_dot_product_attention(x[0], x[1], x[1], x[2])),
        new("attention of 300 places", [[2, 3, 300, 8], [2, 3, 300, 8]], x => F.scaled_dot_product_attention(x[0], x[1], x[1])),
        new("self-attention over offsets", [[9, 3, 2, 8]], x => Fused.SelfAttention(x[0], tensor(new long[] { 0, 4, 9 }), causal: true)),
        new("attention over offsets", [[9, 2, 8], [7, 2, 8], [7, 2, 8]], x => Fused.Attention(x[0], x[1], x[2], tensor(new long[] { 0, 4, 9 }), tensor(new long[] { 0, 6, 7 }), causal: false)),
        new("activation checkpoint", [[4, 11]], x => ActivationCheckpoint.Run(y => y.sin().exp(), x[0])),
    ];
}
