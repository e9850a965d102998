using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static ReLU ReLU(bool inplace = false) => new(inplace);

            public static GELU GELU() => new(Modules.GELU.Approximate.none, false);

            public static GELU GELU(bool inplace) => new(Modules.GELU.Approximate.none, inplace);

            public static GELU GELU(GELU.Approximate approximate, bool inplace = false) => new(approximate, inplace);

            public static SiLU SiLU(bool inplace = false) => new(inplace);

            public static Tanh Tanh(bool inplace = false) => new(inplace);

            public static Sigmoid Sigmoid(bool inplace = false) => new(inplace);

            public static LeakyReLU LeakyReLU(double negative_slope = 0.01, bool inplace = false) => new(negative_slope, inplace);

            public static Softplus Softplus(double beta = 1, double threshold = 20) => new(beta, threshold);

            public static Softmax Softmax(long dim) => new(dim);

            /// <summary>Zeroes with probability p while training, and scales the rest by 1 / (1 - p).</summary>
            public static Dropout Dropout(double p = 0.5, bool inplace = false) => new(p, inplace);
        }
    }
}

namespace Recsys.Torch.Modules
{
    /// <summary>An element-wise function without parameters: one operator, or its in-place twin.</summary>
    public abstract class Activation : nn.Module<Tensor, Tensor>
    {
        private readonly string _operator;
        private readonly bool _hasTwin;

        internal Activation(string name, string operatorName, bool inplace)
            : base(name)
        {
            _operator = inplace ? operatorName + "_" : operatorName;
            _hasTwin = inplace;
        }

        public bool inplace => _hasTwin;

        public override Tensor forward(Tensor input) => Dispatcher.Call(_operator, input);
    }

    public sealed class ReLU : Activation
    {
        internal ReLU(bool inplace)
            : base(nameof(ReLU), "relu", inplace)
        {
        }
    }

    public sealed class SiLU : Activation
    {
        internal SiLU(bool inplace)
            : base(nameof(SiLU), "silu", inplace)
        {
        }
    }

    public sealed class Tanh : Activation
    {
        internal Tanh(bool inplace)
            : base(nameof(Tanh), "tanh", inplace)
        {
        }
    }

    public sealed class Sigmoid : Activation
    {
        internal Sigmoid(bool inplace)
            : base(nameof(Sigmoid), "sigmoid", inplace)
        {
        }
    }

    public sealed class GELU : Activation
    {
        private readonly string _mode;

        internal GELU(Approximate approximate, bool inplace)
            : base(nameof(GELU), "gelu", inplace) => _mode = approximate.ToString();

        public enum Approximate
        {
            none,
            tanh,
        }

        public override Tensor forward(Tensor input) => Dispatcher.Call(inplace ? "gelu_" : "gelu", input, _mode);
    }

    public sealed class LeakyReLU : Activation
    {
        internal LeakyReLU(double slope, bool inplace)
            : base(nameof(LeakyReLU), "leaky_relu", inplace) => negative_slope = slope;

        public double negative_slope { get; }

        public override Tensor forward(Tensor input) => Dispatcher.Call(inplace ? "leaky_relu_" : "leaky_relu", input, negative_slope);
    }

    public sealed class Softplus : Activation
    {
        internal Softplus(double beta, double threshold)
            : base(nameof(Softplus), "softplus", false) => (this.beta, this.threshold) = (beta, threshold);

        public double beta { get; }

        public double threshold { get; }

        public override Tensor forward(Tensor input) => Dispatcher.Call("softplus", input, beta, threshold);
    }

    public sealed class Softmax : Activation
    {
        internal Softmax(long dim)
            : base(nameof(Softmax), "softmax", false) => this.dim = dim;

        public long dim { get; }

        public override Tensor forward(Tensor input) => Dispatcher.Call("softmax.int", input, dim);
    }

    public sealed class Dropout : nn.Module<Tensor, Tensor>
    {
        internal Dropout(double p, bool inplace)
            : base(nameof(Dropout))
        {
            if (p is not (>= 0 and <= 1))
            {
                throw new ArgumentException($"dropout probability {p} must lie between 0 and 1");
            }

            (this.p, this.inplace) = (p, inplace);
        }

        public double p { get; }

        public bool inplace { get; }

        public override Tensor forward(Tensor input) => nn.functional.dropout(input, p, training, inplace);
    }
}
