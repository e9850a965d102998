namespace Recsys.Torch.Kernels;

public static partial class Fused
{
    /// <summary>The same results out of libtorch's own operators: for other devices and dtypes, for second derivatives, and as the kernels' oracle.</summary>
    public static class Composed
    {
        /// <inheritdoc cref="Fused.SelfAttention"/>
        public static Tensor SelfAttention(Tensor qkv, Tensor offsets, bool causal) =>
            Attention(qkv.select(1, 0), qkv.select(1, 1), qkv.select(1, 2), offsets, offsets, causal);

        // Queries, keys and values [tokens, heads, width]; sequence i of the queries reads sequence i of the keys.
        private static Tensor Attention(Tensor query, Tensor key, Tensor value, Tensor queryOffsets, Tensor keyOffsets, bool causal)
        {
            if (key.size(0) == 0)
            {
                return query.clone(); // no token at all: nothing to lay out
            }

            using var scope = NewDisposeScope();
            var (queries, queryLengths) = Places(queryOffsets, query.device); // [sequences, longest]
            var (keys, keyLengths) = Places(keyOffsets, key.device);
            var (longestQuery, longestKey) = (queries.size(1), keys.size(1));
            Tensor Lay(Tensor x, Tensor at) => x.index_select(0, at.view(-1)).view(at.size(0), at.size(1), x.size(1), x.size(2)).transpose(1, 2);
            var visible = arange(longestKey, ScalarType.Int64, key.device).view(1, 1, -1).lt(keyLengths.view(-1, 1, 1)); // [sequences, 1, longest key]
            if (causal)
            {
                visible = visible.logical_and(ones(longestQuery, longestKey, ScalarType.Bool, key.device).tril());
            }

            // An empty row would be 0 / 0: what pads the queries sees the first key, and is thrown away below.
            visible = visible.logical_or(arange(longestKey, ScalarType.Int64, key.device).eq(0));
            var read = nn.functional.scaled_dot_product_attention(Lay(query, queries), Lay(key, keys), Lay(value, keys), visible.unsqueeze(1)); // [sequences, heads, longest query, width]
            var real = arange(longestQuery, ScalarType.Int64, query.device).unsqueeze(0).lt(queryLengths.unsqueeze(1)).view(-1).nonzero().view(-1);
            return read.transpose(1, 2).reshape(-1, query.size(1), query.size(2)).index_select(0, real).MoveToOuterDisposeScope();
        }

        /// <inheritdoc cref="Fused.AddDropoutNorm"/>
        public static (Tensor Sum, Tensor Normed) AddDropoutNorm(Tensor residual, Tensor branch, LayerNorm norm, double p)
        {
            var sum = residual + nn.functional.dropout(branch, p);
            return (sum, norm.forward(sum).to(branch.dtype));
        }

        /// <inheritdoc cref="Fused.AddGateNorm"/>
        public static (Tensor Sum, Tensor Normed) AddGateNorm(Tensor residual, Tensor branch, Tensor gate, Tensor scale, Tensor shift, double eps)
        {
            var sum = residual + (branch * gate.unsqueeze(1));
            var unit = nn.functional.layer_norm(sum, [sum.size(-1)], eps: eps);
            return (sum, ((unit * (scale.unsqueeze(1) + 1)) + shift.unsqueeze(1)).to(branch.dtype));
        }

        // Where each sequence's tokens stand, row by row; behind a short one's end its first token again.
        private static (Tensor Places, Tensor Lengths) Places(Tensor offsets, Device device)
        {
            var starts = offsets.narrow(0, 0, offsets.size(0) - 1);
            var lengths = offsets.narrow(0, 1, offsets.size(0) - 1) - starts;
            long longest = Math.Max(1, lengths.numel() == 0 ? 0 : lengths.max().item<long>());
            var at = arange(longest, ScalarType.Int64, offsets.device).unsqueeze(0); // [1, longest]
            var places = starts.unsqueeze(1) + at * at.lt(lengths.unsqueeze(1)).to(ScalarType.Int64);
            return (places.clamp(max: offsets[-1].item<long>() - 1).to(device), lengths.to(device));
        }
    }
}
