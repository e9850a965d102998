using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>x Wᵀ + b. [..., in] with weights [out, in] gives [..., out].</summary>
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) => Call("linear", input, weights, bias);

            public static Tensor bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias = null) =>
                Call("bilinear", input1, input2, weight, bias);

            /// <summary>Rows of the weight by index: [...] of Int64 with weight [n, d] gives [..., d].</summary>
            public static Tensor embedding(
                Tensor x, Tensor weight, long? padding_idx = null, bool scale_grad_by_freq = false, bool sparse = false) =>
                Call("embedding", weight, x, padding_idx ?? -1, scale_grad_by_freq, sparse);

            public static Tensor one_hot(Tensor x, long num_classes = -1) => Call("one_hot", x, num_classes);

            /// <summary>x / max(‖x‖ₚ, eps) along dim.</summary>
            public static Tensor normalize(Tensor input, double p = 2.0, long dim = 1L, double eps = 1e-12)
            {
                using var norm = Call("norm.ScalarOpt_dim", input, p, new[] { dim }, true);
                using var bounded = norm.clamp_min(eps);
                return input.div(bounded);
            }

            public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1, double eps = 1e-8) =>
                Call("cosine_similarity", x1, x2, dim, eps);

            public static Tensor pairwise_distance(Tensor x1, Tensor x2, double p = 2.0, double eps = 1e-6, bool keepdim = false) =>
                Call("pairwise_distance", x1, x2, p, eps, keepdim);
        }
    }
}
