using TorchSharp.Modules;

namespace Recsys.Torch;

/// <summary>The fused kernels' meaning out of TorchSharp's operators; the native kernels belong to our own backend.</summary>
public static partial class Fused
{
    /// <inheritdoc cref="Composed.SelfAttention"/>
    public static Tensor SelfAttention(Tensor qkv, Tensor offsets, bool causal) => Composed.SelfAttention(qkv, offsets, causal);

    /// <inheritdoc cref="Composed.Attention"/>
    public static Tensor Attention(Tensor query, Tensor key, Tensor value, Tensor queryOffsets, Tensor keyOffsets, bool causal) =>
        Composed.Attention(query, key, value, queryOffsets, keyOffsets, causal);

    /// <inheritdoc cref="Composed.AddDropoutNorm"/>
    /// <remarks>The mask follows TorchSharp's generator, not the seed.</remarks>
    public static (Tensor Sum, Tensor Normed) AddDropoutNorm(Tensor residual, Tensor branch, LayerNorm norm, double p, long seed, long skip = 0) =>
        Composed.AddDropoutNorm(residual, branch, norm, p);

    /// <summary>Dropout; the mask follows TorchSharp's generator, not the seed.</summary>
    public static Tensor Dropout(Tensor input, double p, long seed, long skip = 0) => nn.functional.dropout(input, p);
}
