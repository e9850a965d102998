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

            return Attend(qkv.select(1, 0), qkv.select(1, 1), qkv.select(1, 2), offsets, offsets, causal);
        }

        /// <inheritdoc cref="Fused.CrossAttention"/>
        public static Tensor CrossAttention(Tensor q, Tensor kv, Tensor offsets, Tensor keyOffsets, Tensor visible) =>
            q.size(0) == 0 ? q.clone() : Attend(q, kv.select(1, 0), kv.select(1, 1), offsets, keyOffsets, causal: false, visible);

        // Each [tokens or keys, heads, width].
        private static Tensor Attend(
            Tensor q, Tensor k, Tensor v, Tensor offsets, Tensor keyOffsets, bool causal, Tensor? seen = null)
        {
            using var scope = NewDisposeScope();
            var (places, real) = Places(offsets, q.device); // [sequences, longest]
            var (keyPlaces, visible) = Places(keyOffsets, q.device); // [sequences, most keys]
            Tensor Lay(Tensor x, Tensor at) =>
                x.index_select(0, at.view(-1)).view(at.size(0), at.size(1), x.size(1), x.size(2)).transpose(1, 2);
            visible = visible.unsqueeze(1);
            if (causal)
            {
                visible = visible.logical_and(ones(places.size(1), places.size(1), ScalarType.Bool, q.device).tril());
            }

            if (seen is not null)
            {
                var at = arange(keyPlaces.size(1), ScalarType.Int64, q.device);
                visible = visible.logical_and(at.lt(seen.to(q.device).index_select(0, places.view(-1)).view(
                    places.size(0), places.size(1), 1)));
            }

            // A row without any key would be 0 / 0: what pads the queries sees the first key, and is thrown away below.
            visible = visible.logical_or(arange(keyPlaces.size(1), ScalarType.Int64, q.device).eq(0));
            var read = nn.functional.scaled_dot_product_attention(
                // [sequences, heads, longest, width]
                Lay(q, places), Lay(k, keyPlaces), Lay(v, keyPlaces), visible.unsqueeze(1));
            return read.transpose(1, 2)
                .reshape(-1, q.size(1), q.size(2)).index_select(0, real.view(-1).nonzero().view(-1)).MoveToOuterDisposeScope();
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

        // Where each sequence's tokens stand, row by row, and whether one is there; behind a short one's end its first token again.
        private static (Tensor Places, Tensor Real) Places(Tensor offsets, Device device)
        {
            var starts = offsets.narrow(0, 0, offsets.size(0) - 1);
            var lengths = offsets.narrow(0, 1, offsets.size(0) - 1) - starts;
            long longest = Math.Max(1, lengths.numel() == 0 ? 0 : lengths.max().item<long>());
            var at = arange(longest, ScalarType.Int64, offsets.device).unsqueeze(0); // [1, longest]
            var real = at.lt(lengths.unsqueeze(1)); // [sequences, longest]
            var places = starts.unsqueeze(1) + at * real.to(ScalarType.Int64);
            return (places.clamp(max: offsets[-1].item<long>() - 1).to(device), real.to(device));
        }
    }
}
