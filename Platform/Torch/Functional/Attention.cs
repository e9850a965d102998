using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// softmax(q kᵀ / √d + mask) v. Query [..., L, d], key [..., S, d], value [..., S, e] give [..., L, e]. A bool mask keeps
            /// where true, any other is added. libtorch's own operator where it exists (2.0), else composed of products and a softmax.
            /// </summary>
            public static Tensor scaled_dot_product_attention(
                Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0.0, bool is_casual = false)
            {
                if (is_casual && attn_mask is not null)
                {
                    throw new ArgumentException("Causal attention makes its own mask; pass one or the other.");
                }

                // libtorch's fused CPU kernel takes no dropout, and its fallback draws the mask on one thread.
                if (OwnAttention.Exists && (p == 0 || !query.is_cpu()))
                {
                    return Call("scaled_dot_product_attention", query, key, value, attn_mask, p, is_casual);
                }

                using var scope = NewDisposeScope();
                var mask = is_casual ? CausalMask(query.size(-2), key.size(-2), query.device) : attn_mask;
                var scores = (query * (1 / Math.Sqrt(query.size(-1)))).matmul(key.transpose(-2, -1)); // [..., L, S]
                if (mask is not null)
                {
                    scores = mask.dtype == ScalarType.Bool ? scores.masked_fill(mask.logical_not(), double.NegativeInfinity) : scores.add(mask);
                }

                var weights = scores.softmax(-1);
                return (p > 0 ? dropout(weights, p) : weights).matmul(value).MoveToOuterDisposeScope();
            }

            // [L, S], true where position i may see position j <= i.
            private static Tensor CausalMask(long length, long sources, Device device) =>
                ones(length, sources, dtype: ScalarType.Bool, device: device).tril();

            private static class OwnAttention
            {
                internal static readonly bool Exists = Has("scaled_dot_product_attention");
            }
        }
    }
}
