using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            private const long KernelBytes = 1 << 20; // of scores; below it their matrix is cheap, and may be differentiated twice
            private const long BlockBytes = 64 << 20;

            /// <summary>
            /// softmax(q kᵀ / √d + mask) v. Query [..., L, d], key [..., S, d], value [..., S, e] give [..., L, e]. A bool mask keeps
            /// where true, any other is added. libtorch's own operator where it exists (2.0).
            /// </summary>
            /// <remarks>
            /// Before, a large matrix of scores is never whole in memory: without mask and dropout, in float32 or bfloat16 on a CPU, the
            /// native kernel (from 1 MiB of scores on; one derivative); else, from 64 MiB on, block by block, each computed again in backward
            /// (see <see cref="ActivationCheckpoint"/>). What is smaller is composed of products and a softmax.
            /// </remarks>
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
                long rows = query.size(-2), bytes = query.numel() / Math.Max(1, query.size(-1)) * key.size(-2) * query.element_size();
                if (bytes >= KernelBytes && attn_mask is null && p == 0 && FitsKernel(query, key, value))
                {
                    return KernelAttention(query, key, value, is_casual).MoveToOuterDisposeScope();
                }

                var mask = is_casual ? CausalMask(rows, key.size(-2), query.device) : attn_mask;
                return (bytes < BlockBytes ? ComposedAttention(query, key, value, mask, p)
                    : BlockAttention(query, key, value, mask, p, Math.Max(1, rows * (BlockBytes / 4) / bytes))).MoveToOuterDisposeScope();
            }

            private static Tensor ComposedAttention(Tensor query, Tensor key, Tensor value, Tensor? mask, double p)
            {
                using var scope = NewDisposeScope();
                var scores = (query * (1 / Math.Sqrt(query.size(-1)))).matmul(key.transpose(-2, -1)); // [..., L, S]
                if (mask is not null)
                {
                    scores = mask.dtype == ScalarType.Bool ? scores.masked_fill(mask.logical_not(), double.NegativeInfinity) : scores.add(mask);
                }

                var weights = scores.softmax(-1);
                return (p > 0 ? dropout(weights, p) : weights).matmul(value).MoveToOuterDisposeScope();
            }

            // The scores of a few queries at a time; a row of a mask that is the same for all queries is not cut.
            private static Tensor BlockAttention(Tensor query, Tensor key, Tensor value, Tensor? mask, double p, long rows)
            {
                List<Tensor> blocks = [];
                for (long from = 0; from < query.size(-2); from += rows)
                {
                    long count = Math.Min(rows, query.size(-2) - from);
                    var part = query.narrow(-2, from, count);
                    var partMask = mask is { ndim: >= 2 } && mask.size(-2) > 1 ? mask.narrow(-2, from, count) : mask;
                    blocks.Add(partMask is null
                        ? ActivationCheckpoint.Run(x => [ComposedAttention(x[0], x[1], x[2], null, p)], [part, key, value], p > 0)[0]
                        : ActivationCheckpoint.Run(x => [ComposedAttention(x[0], x[1], x[2], x[3], p)], [part, key, value, partMask], p > 0)[0]);
                }

                return cat(blocks, -2);
            }

            private static bool FitsKernel(Tensor query, Tensor key, Tensor value) =>
                query.is_cpu() && query.dtype is ScalarType.Float32 or ScalarType.BFloat16 && key.dtype == query.dtype && value.dtype == query.dtype
                && query.ndim == 4 && key.ndim == 4 && key.shape.AsSpan().SequenceEqual(value.shape)
                && query.size(0) == key.size(0) && query.size(1) == key.size(1) && query.size(3) == key.size(3) && key.size(2) > 0;

            // The kernel's layout: sequences laid end to end, [tokens, heads, width].
            private static Tensor KernelAttention(Tensor query, Tensor key, Tensor value, bool causal)
            {
                long batch = query.size(0), rows = query.size(2), width = query.size(3);
                Tensor Tokens(Tensor x) => x.transpose(1, 2).reshape(-1, x.size(1), width);
                var queries = arange(0, (batch + 1) * rows, rows, ScalarType.Int64);
                var keys = arange(0, (batch + 1) * key.size(2), key.size(2), ScalarType.Int64);
                var read = Call("recsys::attention", Tokens(query), Tokens(key), Tokens(value), queries, keys, causal, 1 / Math.Sqrt(width));
                return read.view(batch, rows, -1, width).transpose(1, 2);
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
