using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor hardshrink(Tensor x, double lambda = 0.5) => Call("hardshrink", x, lambda);

            public static Tensor softshrink(Tensor x, double lambda = 0.5) => Call("softshrink", x, lambda);

            public static Tensor tanhshrink(Tensor x, bool inplace = false)
            {
                using var bound = x.tanh();
                return inplace ? x.sub_(bound) : x.sub(bound);
            }

            /// <summary>x where it is above the threshold, else the value.</summary>
            public static Tensor threshold(Tensor x, double threshold, double value, bool inplace = false) =>
                inplace ? Same(x, "threshold_", threshold, value) : Call("threshold", x, threshold, value);

            /// <summary>A leaky ReLU whose slope is drawn between lower and upper while training, and their mean otherwise.</summary>
            public static Tensor rrelu(Tensor x, double lower = 1.0 / 8, double upper = 1.0 / 3, bool inplace = false) =>
                inplace ? Same(x, "rrelu_", lower, upper) : Call("rrelu", x, lower, upper);

            public static Tensor softmax2d(Tensor x) => x.softmax(-3);

            /// <summary>Drops whole channels of [batch, channels, length].</summary>
            public static Tensor dropout1d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => dropout2d(input, p, training, inplace);

            /// <summary>Drops whole channels of [batch, channels, depth, height, width].</summary>
            public static Tensor dropout3d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => dropout2d(input, p, training, inplace);

            /// <summary>Keeps mean and variance of SELU's activations (Klambauer et al. 2017).</summary>
            public static Tensor alpha_dropout(Tensor input, double p = 0.5, bool training = false, bool inplace = false) =>
                inplace ? Same(input, "alpha_dropout_", p, training) : Call("alpha_dropout", input, p, training);

            public static Tensor feature_alpha_dropout(Tensor input, double p = 0.5, bool training = false, bool inplace = false) =>
                inplace ? Same(input, "feature_alpha_dropout_", p, training) : Call("feature_alpha_dropout", input, p, training);
        }
    }
}
