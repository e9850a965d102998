namespace Recsys.Torch.Kernels;

public static partial class Fused
{
    /// <summary>The same results out of libtorch's own operators: for other devices and dtypes, for second derivatives, and as the kernels'
    /// oracle.</summary>
    public static class Composed
    {
        /// <inheritdoc cref="Fused.SelfAttention"/>
        public static Tensor SelfAttention(Tensor qkv, Tensor offsets, bool causal)
        {
            if (qkv.size(0) == 0)
            {
                return qkv.select(1, 0).clone(); // no token at all: nothing to lay out
            }

            using var scope = NewDisposeScope();
            var (places, lengths) = Places(offsets, qkv.device); // [sequences, longest]
            long longest = places.size(1);
            Tensor Lay(Tensor x) => x.index_select(0, places.view(-1)).view(places.size(0), longest, x.size(1), x.size(2)).transpose(1, 2);
            var real = arange(longest, ScalarType.Int64, qkv.device).unsqueeze(0).lt(lengths.unsqueeze(1)); // [sequences, longest]
            var visible = real.unsqueeze(1);
            if (causal)
            {
                visible = visible.logical_and(ones(longest, longest, ScalarType.Bool, qkv.device).tril());
            }

            // A row without any key would be 0 / 0: what pads the queries sees the first key, and is thrown away below.
            visible = visible.logical_or(arange(longest, ScalarType.Int64, qkv.device).eq(0));
            var read = nn.functional.scaled_dot_product_attention(
                // [sequences, heads, longest, width]
                Lay(qkv.select(1, 0)), Lay(qkv.select(1, 1)), Lay(qkv.select(1, 2)), visible.unsqueeze(1));
            return read.transpose(1, 2)
                .reshape(-1, qkv.size(2), qkv.size(3)).index_select(0, real.view(-1).nonzero().view(-1)).MoveToOuterDisposeScope();
        }

        /// <inheritdoc cref="Fused.Linear"/>
        public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias, bool gelu) =>
            nn.functional.linear(gelu ? nn.functional.gelu(x) : x, weight.to(x.dtype), bias?.to(x.dtype));

        /// <inheritdoc cref="Fused.AddDropoutNorm"/>
        public static (Tensor Sum, Tensor Normed) AddDropoutNorm(Tensor residual, Tensor branch, LayerNorm norm, double p)
        {
            var sum = residual + nn.functional.dropout(branch, p);
            return (sum, norm.forward(sum).to(branch.dtype));
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
