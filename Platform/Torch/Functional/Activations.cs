using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_() : x.relu();

            public static Tensor gelu(Tensor x) => Call("gelu", x);

            public static Tensor gelu(Tensor x, bool inplace) => inplace ? Same(x, "gelu_") : gelu(x);

            public static Tensor silu(Tensor x, bool inplace = false) => inplace ? x.silu_() : x.silu();

            public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01, bool inplace = false) =>
                inplace ? input.leaky_relu_(negative_slope) : input.leaky_relu(negative_slope);

            public static Tensor elu(Tensor x, double alpha = 1, bool inplace = false) => inplace ? Same(x, "elu_", alpha) : x.elu(alpha);

            public static Tensor selu(Tensor x, bool inplace = false) => inplace ? Same(x, "selu_") : x.selu();

            public static Tensor celu(Tensor x, double alpha = 1, bool inplace = false) => inplace ? Same(x, "celu_", alpha) : Call("celu", x, alpha);

            public static Tensor relu6(Tensor x, bool inplace = false) => inplace ? Same(x, "relu6_") : Call("relu6", x);

            public static Tensor mish(Tensor x, bool inplace = false) => inplace ? Same(x, "mish_") : OnFloats("mish", x);

            public static Tensor hardswish(Tensor input, bool inplace = false) => inplace ? Same(input, "hardswish_") : Call("hardswish", input);

            public static Tensor hardsigmoid(Tensor input, bool inplace = false) => inplace ? Same(input, "hardsigmoid_") : Call("hardsigmoid", input);

            public static Tensor hardtanh(Tensor x, double min_val = -1.0, double max_val = 1.0, bool inplace = false) =>
                inplace ? Same(x, "hardtanh_", min_val, max_val) : Call("hardtanh", x, min_val, max_val);

            public static Tensor tanh(Tensor x, bool inplace = false) => inplace ? x.tanh_() : x.tanh();

            public static Tensor sigmoid(Tensor x, bool inplace = false) => inplace ? x.sigmoid_() : x.sigmoid();

            public static Tensor softplus(Tensor x, double beta = 1, double threshold = 20) => x.softplus(beta, threshold);

            public static Tensor softsign(Tensor x, bool inplace = false)
            {
                using var size = x.abs();
                using var bound = size.add_(1);
                return inplace ? x.div_(bound) : x.div(bound);
            }

            public static Tensor logsigmoid(Tensor x) => x.log_sigmoid();

            public static Tensor glu(Tensor input, long dim = -1) => input.glu(dim);

            public static Tensor prelu(Tensor input, Tensor weight) => Call("prelu", input, weight);

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

            public static Tensor softmin(Tensor x, long dim) => (-x).softmax(dim);

            public static Tensor log_softmax(Tensor x, long dim, ScalarType? dtype = null) => x.log_softmax(dim, dtype);

            // For operators that libtorch 1.13 lacks in half precision on a CPU.
            private static Tensor OnFloats(string op, Tensor x)
            {
                var type = x.dtype;
                if (type is not (ScalarType.BFloat16 or ScalarType.Float16) || !x.is_cpu())
                {
                    return Call(op, x);
                }

                using var wide = x.to(ScalarType.Float32);
                using var y = Call(op, wide);
                return y.to(type);
            }

            private static Tensor Same(Tensor x, string op, params ReadOnlySpan<Value> rest)
            {
                Run(op, [x, .. rest]);
                return x;
            }
        }
    }
}
