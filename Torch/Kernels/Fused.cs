namespace Recsys.Torch.Kernels;

/// <summary>
/// A transformer's hot spots in one pass each. On a CPU, in float32 or bfloat16, they are loops of our own; on any other device they are
/// composed of TorchSharp's operators, with the same meaning; a dropout mask then comes from libtorch's own stream. The loops have a first
/// derivative only, and what they give must not be changed in place before it is taken.
/// </summary>
public static partial class Fused
{
    /// <summary>
    /// Attention of each sequence to itself, softmax(q kᵀ / √width) v, for sequences of different lengths laid end to end: no padding,
    /// no mask, no matrix of scores in memory.
    /// </summary>
    /// <param name="qkv">[tokens, 3, heads, width] queries, keys and values.</param>
    /// <param name="offsets">[sequences + 1] int64 on the CPU: where each sequence starts, from 0; the last is the number of
    /// tokens.</param>
    /// <param name="causal">A token sees itself and what came before it.</param>
    /// <returns>[tokens, heads, width]</returns>
    /// <exception cref="TorchException">Shapes or offsets that do not fit together.</exception>
    public static Tensor SelfAttention(Tensor qkv, Tensor offsets, bool causal)
    {
        if (qkv.dim() != 4 || qkv.size(1) != 3)
        {
            throw new TorchException($"qkv is [{string.Join(", ", qkv.shape)}]; it must be [tokens, 3, heads, width].");
        }

        CheckOffsets(offsets, qkv.size(0));
        return !KernelLibrary.Takes(qkv) ? Composed.SelfAttention(qkv, offsets, causal)
            : NeedsGradient(qkv) ? SelfAttentionFunction.apply(qkv, offsets, causal)
            : SelfAttentionFunction.Run(qkv.contiguous(), offsets, causal).Output;
    }

    /// <summary>
    /// Attention of each sequence to another one, softmax(q kᵀ / √width) v, both laid end to end among their like; every query sees the
    /// first keys of its sequence.
    /// </summary>
    /// <param name="q">[tokens, heads, width]</param>
    /// <param name="kv">[keys, 2, heads, width] keys and values, of the same element type.</param>
    /// <param name="offsets">[sequences + 1] as of <see cref="SelfAttention"/>, of the queries.</param>
    /// <param name="keyOffsets">[sequences + 1] the same of the keys; each sequence has at least one.</param>
    /// <param name="visible">[tokens] int64 on the CPU: keys that each query sees, 1 to those of its sequence; null: all.</param>
    /// <returns>[tokens, heads, width]</returns>
    /// <exception cref="TorchException">Shapes or offsets that do not fit together, a sequence without keys.</exception>
    public static Tensor CrossAttention(Tensor q, Tensor kv, Tensor offsets, Tensor keyOffsets, Tensor? visible = null)
    {
        if (q.dim() != 3 || kv.dim() != 4 || kv.size(1) != 2 || q.size(1) != kv.size(2) || q.size(2) != kv.size(3) || q.dtype != kv.dtype)
        {
            throw new TorchException(
                $"Queries, keys and values are {q.dtype} {Shapes(q)} and {kv.dtype} {Shapes(kv)}; they must be [tokens, heads, width] and "
                + "[keys, 2, heads, width] of one type.");
        }

        CheckOffsets(offsets, q.size(0));
        CheckOffsets(keyOffsets, kv.size(0));
        if (offsets.numel() != keyOffsets.numel())
        {
            throw new TorchException(
                $"{offsets.numel() - 1} sequences of queries, {keyOffsets.numel() - 1} of keys; they must be as many.");
        }

        visible = Visible(offsets, keyOffsets, visible);
        var queries = q.unsqueeze(1); // [tokens, 1, heads, width]
        return !KernelLibrary.Takes(q) ? Composed.CrossAttention(q, kv, offsets, keyOffsets, visible)
            : NeedsGradient(q, kv) ? CrossAttentionFunction.apply(queries, kv, offsets, keyOffsets, visible)
            : CrossAttentionFunction.Run(queries.contiguous(), kv.contiguous(), offsets, keyOffsets, visible).Output;
    }

    /// <summary>residual + dropout(branch), and its layer norm in the branch's element type.</summary>
    /// <param name="residual">[…, width] float32</param>
    /// <param name="branch">[…, width]</param>
    /// <param name="norm">Over the last dimension, with weight and bias.</param>
    /// <param name="p">Probability that an element of the branch is dropped; 0 in evaluation.</param>
    /// <param name="seed">Decides the mask, together with the place; another one for every call.</param>
    /// <param name="firstRow">Place of the first row in the whole batch: a part of a batch gets that part of its mask (on a CPU).</param>
    /// <exception cref="TorchException">Shapes that differ, or a probability outside 0 to below 1.</exception>
    public static (Tensor Sum, Tensor Normed) AddDropoutNorm(
        Tensor residual, Tensor branch, LayerNorm norm, double p = 0, long seed = 0, long firstRow = 0)
    {
        CheckProbability(p);
        if (!residual.shape.SequenceEqual(branch.shape) || norm.weight is null || norm.bias is null
            || norm.weight.numel() != branch.size(-1))
        {
            throw new TorchException(
                $"The residual is {Shapes(residual)}, the branch {Shapes(branch)}; both must be alike, and the norm must have gain and "
                + "shift of the last dimension.");
        }

        if (!KernelLibrary.Takes(branch) || residual.dtype != ScalarType.Float32 || norm.weight.dtype != ScalarType.Float32)
        {
            return Composed.AddDropoutNorm(residual, branch, norm, p);
        }

        if (!NeedsGradient(residual, branch, norm.weight, norm.bias))
        {
            var (sum, normed, _) = AddDropoutNormFunction.Run(
                residual.contiguous(), branch.contiguous(), norm.weight, norm.bias, p, seed, norm.eps, firstRow);
            return (sum, normed);
        }

        var both = AddDropoutNormFunction.apply(residual, branch, norm.weight, norm.bias, p, seed, norm.eps, firstRow);
        return (both[0], both[1]);
    }

    /// <summary>x Wᵀ + b in bf16 with sums in float32, or GELU(x) Wᵀ + b.</summary>
    /// <param name="x">[…, in]</param>
    /// <param name="weight">[out, in] float32</param>
    /// <param name="bias">[out] float32</param>
    /// <returns>[…, out] bf16</returns>
    /// <exception cref="TorchException">Shapes that do not fit together.</exception>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias, bool gelu = false)
    {
        if (x.dim() == 0 || weight.dim() != 2 || x.size(-1) != weight.size(1)
            || (bias is not null && !bias.shape.SequenceEqual([weight.size(0)])))
        {
            throw new TorchException(
                $"x, weight and bias are {Shapes(x, weight, bias ?? weight)}; they must be […, in], [out, in] and [out].");
        }

        x = x.to(ScalarType.BFloat16);
        return !LinearFunction.Takes(x, weight, bias) ? Composed.Linear(x, weight, bias, gelu)
            : NeedsGradient(x, weight, bias ?? weight) ? LinearFunction.apply(x, weight, bias!, gelu)
            : LinearFunction.Run(x.contiguous(), weight, bias, gelu);
    }

    /// <summary>What each query sees, checked; all keys of its sequence where nothing is said.</summary>
    private static Tensor Visible(Tensor offsets, Tensor keyOffsets, Tensor? given)
    {
        static ReadOnlySpan<long> Values(Tensor of) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(of.bytes);
        if (given is not null && (given.device.type != DeviceType.CPU || given.dtype != ScalarType.Int64 || given.dim() != 1
            || given.numel() != offsets[-1].item<long>() || !given.is_contiguous()))
        {
            throw new TorchException($"visible is {given.dtype} {Shapes(given)}; it must be a dense int64 of each query on the CPU.");
        }

        var all = new long[offsets[-1].item<long>()];
        var starts = Values(offsets);
        var keys = Values(keyOffsets);
        for (int i = 1; i < starts.Length; i++)
        {
            long most = keys[i] - keys[i - 1];
            if (most == 0)
            {
                throw new TorchException($"Sequence {i - 1} has no key; a query must see at least one.");
            }

            for (long row = starts[i - 1]; row < starts[i]; row++)
            {
                all[row] = given is null ? most : Values(given)[(int)row];
                if (all[row] < 1 || all[row] > most)
                {
                    throw new TorchException($"Query {row} sees {all[row]} keys; allowed are 1 to its sequence's {most}.");
                }
            }
        }

        return tensor(all);
    }

    private static string Shapes(params Tensor[] tensors) =>
        string.Join(", ", tensors.Select(tensor => $"[{string.Join(", ", tensor.shape)}]"));

    private static bool NeedsGradient(params Tensor[] inputs) => is_grad_enabled() && inputs.Any(input => input.requires_grad);

    private static void CheckProbability(double p)
    {
        if (p is not (>= 0 and < 1))
        {
            throw new TorchException($"The dropout probability is {p}; allowed are 0 to below 1.");
        }
    }

    private static void CheckOffsets(Tensor offsets, long tokens)
    {
        if (offsets.device.type != DeviceType.CPU || offsets.dtype != ScalarType.Int64 || offsets.dim() != 1 || offsets.numel() < 1
            || !offsets.is_contiguous())
        {
            throw new TorchException(
                $"The offsets are {offsets.dtype} [{string.Join(", ", offsets.shape)}]; they must be a dense int64 vector on the CPU.");
        }

        var at = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(offsets.bytes);
        for (int i = 1; i < at.Length; i++)
        {
            if (at[i] < at[i - 1])
            {
                throw new TorchException($"The offsets fall from {at[i - 1]} to {at[i]} at place {i}; they must not fall.");
            }
        }

        if (at[0] != 0 || at[^1] != tokens)
        {
            throw new TorchException($"The offsets run from {at[0]} to {at[^1]}; they must run from 0 to the {tokens} tokens.");
        }
    }
}
