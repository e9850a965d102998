using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// A transformer's hot spots in one pass each. On a CPU, in float32 or bfloat16, they are kernels of the native library; on any other
/// device or dtype they are composed of libtorch's operators, with the same meaning. The kernels have a first derivative only.
/// </summary>
public static partial class Fused
{
    /// <summary>
    /// Attention of each sequence to itself, softmax(q kᵀ / √width) v, for sequences of different lengths laid end to end: no padding,
    /// no mask, no matrix of scores in memory.
    /// </summary>
    /// <param name="qkv">[tokens, 3, heads, width] queries, keys and values.</param>
    /// <param name="offsets">[sequences + 1] int64 on the CPU: where each sequence starts, from 0; the last is the number of tokens.</param>
    /// <param name="causal">A token sees itself and what came before it.</param>
    /// <returns>[tokens, heads, width]</returns>
    /// <exception cref="TorchException">Shapes, dtypes or offsets that do not fit together.</exception>
    public static Tensor SelfAttention(Tensor qkv, Tensor offsets, bool causal) =>
        HasKernel(qkv)
            ? Dispatcher.Call("recsys::self_attention", qkv, offsets, causal, 1 / Math.Sqrt(qkv.size(3)))
            : Composed.SelfAttention(qkv, offsets, causal);

    /// <summary>As <see cref="SelfAttention"/>, with queries of their own: sequence i of the queries reads sequence i of the keys.</summary>
    /// <param name="query">[queries, heads, width]</param>
    /// <param name="key">[keys, heads, width]</param>
    /// <param name="value">[keys, heads, width]</param>
    /// <param name="queryOffsets">[sequences + 1] int64 on the CPU.</param>
    /// <param name="keyOffsets">[sequences + 1] int64 on the CPU; a sequence with queries has at least one key.</param>
    /// <param name="causal">Query i of a sequence sees its keys 0 to i.</param>
    /// <returns>[queries, heads, width]</returns>
    /// <exception cref="TorchException">Shapes, dtypes or offsets that do not fit together.</exception>
    public static Tensor Attention(Tensor query, Tensor key, Tensor value, Tensor queryOffsets, Tensor keyOffsets, bool causal) =>
        HasKernel(query)
            ? Dispatcher.Call("recsys::attention", query, key, value, queryOffsets, keyOffsets, causal, 1 / Math.Sqrt(query.size(2)))
            : Composed.Attention(query, key, value, queryOffsets, keyOffsets, causal);

    /// <summary>residual + dropout(branch), and its layer norm in the branch's dtype.</summary>
    /// <param name="residual">[..., width] float32</param>
    /// <param name="branch">[..., width]</param>
    /// <param name="norm">Over the last dimension, with weight and bias.</param>
    /// <param name="p">Probability that an element of the branch is dropped; 0 in evaluation.</param>
    /// <param name="seed">Decides the mask, together with the place; another one for every call.</param>
    /// <param name="skip">Rows of a larger tensor that come before these: a part of a batch gets its part of the whole batch's mask.</param>
    public static (Tensor Sum, Tensor Normed) AddDropoutNorm(Tensor residual, Tensor branch, LayerNorm norm, double p, long seed, long skip = 0)
    {
        if (!HasKernel(branch) || residual.dtype != ScalarType.Float32 || norm.weight is null || norm.bias is null)
        {
            return Composed.AddDropoutNorm(residual, branch, norm, p);
        }

        return skip == 0
            ? Dispatcher.Call2("recsys::add_dropout_norm", residual, branch, norm.weight, norm.bias, p, seed, norm.eps)
            : Dispatcher.Call2("recsys::add_dropout_norm", residual, branch, norm.weight, norm.bias, p, seed, norm.eps, skip);
    }

    /// <summary>Dropout whose mask follows from the seed alone on a CPU, whatever the threads.</summary>
    /// <param name="skip">Elements of a larger tensor that come before these.</param>
    public static Tensor Dropout(Tensor input, double p, long seed, long skip = 0) =>
        !input.is_cpu() ? nn.functional.dropout(input, p)
        : skip == 0 ? Dispatcher.Call("recsys::dropout", input, p, seed)
        : Dispatcher.Call("recsys::dropout", input, p, seed, skip);

    private static bool HasKernel(Tensor x) => x.is_cpu() && x.dtype is ScalarType.Float32 or ScalarType.BFloat16;
}
