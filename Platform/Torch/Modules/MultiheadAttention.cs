using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Attention in several heads (Vaswani et al. 2017) over [length, batch, embedded_dim].</summary>
            public static MultiheadAttention MultiheadAttention(long embedded_dim, long num_heads, double dropout = 0.0, bool bias = true) =>
                new(embedded_dim, num_heads, dropout, bias);
        }
    }
}

namespace Recsys.Torch.Modules
{
    /// <summary>PyTorch's names: in_proj_weight [3·dim, dim] (query, key, value), in_proj_bias, out_proj.</summary>
    public sealed class MultiheadAttention : nn.Module
    {
        private readonly long _heads;
        private readonly double _dropout;
        private readonly Parameter in_proj_weight;
        private readonly Parameter? in_proj_bias;
        private readonly Linear out_proj;

        internal MultiheadAttention(long dim, long heads, double dropout, bool bias)
            : base(nameof(MultiheadAttention))
        {
            if (heads < 1 || dim % heads != 0)
            {
                throw new ArgumentException($"{dim} dimensions do not divide into {heads} heads");
            }

            (_heads, _dropout) = (heads, dropout);
            in_proj_weight = AffineModule.Empty([3 * dim, dim], null, null);
            nn.init.xavier_uniform_(in_proj_weight);
            in_proj_bias = bias ? new Parameter(zeros(3 * dim)) : null;
            out_proj = nn.Linear(dim, dim, bias);
            if (bias)
            {
                nn.init.zeros_(out_proj.bias!);
            }

            RegisterComponents();
        }

        /// <param name="query">[length, batch, dim]</param>
        /// <param name="key">[sources, batch, dim]</param>
        /// <param name="value">[sources, batch, dim]</param>
        /// <param name="key_padding_mask">[batch, sources] bool, true where a key is not to be seen.</param>
        /// <param name="need_weights">Whether the mean weights [batch, length, sources] are computed too.</param>
        /// <param name="attn_mask">[length, sources] bool, true where a key is not to be seen, or numbers to add to the scores.</param>
        public Tuple<Tensor, Tensor?> call(
            Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask = null, bool need_weights = true, Tensor? attn_mask = null)
        {
            using var scope = NewDisposeScope();
            Tensor[] weights = in_proj_weight.chunk(3), biases = in_proj_bias?.chunk(3) ?? [];
            Tensor Heads(Tensor x, int part) =>
                nn.functional.linear(x, weights[part], biases.Length == 0 ? null : biases[part]) // [length, batch, dim]
                    .view(x.size(0), x.size(1), _heads, -1).permute(1, 2, 0, 3); // [batch, heads, length, width]
            Tensor q = Heads(query, 0), k = Heads(key, 1), v = Heads(value, 2);
            Tensor? bias = Bias(attn_mask, key_padding_mask, q.dtype);
            Tensor read;
            Tensor? mean = null;
            if (need_weights)
            {
                var scores = (q * (1 / Math.Sqrt(q.size(-1)))).matmul(k.transpose(-2, -1)); // [batch, heads, length, sources]
                var share = (bias is null ? scores : scores + bias).softmax(-1);
                share = nn.functional.dropout(share, _dropout, training);
                read = share.matmul(v);
                mean = share.mean([1]);
            }
            else
            {
                read = nn.functional.scaled_dot_product_attention(q, k, v, bias, training ? _dropout : 0);
            }

            var result = out_proj.call(read.permute(2, 0, 1, 3).reshape(query.size(0), query.size(1), -1));
            return Tuple.Create(result.MoveToOuterDisposeScope(), mean?.MoveToOuterDisposeScope());
        }

        private static Tensor? Bias(Tensor? mask, Tensor? padding, ScalarType dtype)
        {
            Tensor? Added(Tensor? x) => x?.dtype == ScalarType.Bool ? zeros(x.shape, dtype, x.device).masked_fill_(x, double.NegativeInfinity) : x;
            Tensor? first = Added(mask), second = Added(padding)?.unsqueeze(1).unsqueeze(2); // [batch, 1, 1, sources]
            return first is null ? second : second is null ? first : first + second;
        }
    }
}
