using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>x cut off at both bounds.</summary>
            public static Hardtanh Hardtanh(double min_val = -1.0, double max_val = 1.0, bool inplace = false) => new(min_val, max_val, inplace);

            /// <summary>min(max(x / 6 + 1/2, 0), 1).</summary>
            public static Hardsigmoid Hardsigmoid(bool inplace = false) => new(inplace);

            /// <summary>x · hardsigmoid(x).</summary>
            public static Hardswish Hardswish(bool inplace = false) => new(inplace);

            /// <summary>x where its magnitude is above λ, else 0.</summary>
            public static Hardshrink Hardshrink(double lambda = 0.5) => new(lambda);

            /// <summary>x moved towards 0 by λ.</summary>
            public static Softshrink Softshrink(double lambda = 0.5) => new(lambda);

            /// <summary>x - tanh x.</summary>
            public static Tanhshrink Tanhshrink(bool inplace = false) => new(inplace);

            /// <summary>x where it is above the threshold, else the value.</summary>
            public static Threshold Threshold(double threshold, double value, bool inplace = false) => new(threshold, value, inplace);

            /// <summary>min(max(x, 0), 6).</summary>
            public static ReLU6 ReLU6(bool inplace = false) => new(inplace);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class Hardtanh(double min_val, double max_val, bool inplace) : nn.Module<Tensor, Tensor>(nameof(Hardtanh))
    {
        public override Tensor forward(Tensor input) => nn.functional.hardtanh(input, min_val, max_val, inplace);
    }

    public sealed class Hardsigmoid(bool inplace) : nn.Module<Tensor, Tensor>(nameof(Hardsigmoid))
    {
        public override Tensor forward(Tensor input) => nn.functional.hardsigmoid(input, inplace);
    }

    public sealed class Hardswish(bool inplace) : nn.Module<Tensor, Tensor>(nameof(Hardswish))
    {
        public override Tensor forward(Tensor input) => nn.functional.hardswish(input, inplace);
    }

    public sealed class Hardshrink(double lambda) : nn.Module<Tensor, Tensor>(nameof(Hardshrink))
    {
        public override Tensor forward(Tensor input) => nn.functional.hardshrink(input, lambda);
    }

    public sealed class Softshrink(double lambda) : nn.Module<Tensor, Tensor>(nameof(Softshrink))
    {
        public override Tensor forward(Tensor input) => nn.functional.softshrink(input, lambda);
    }

    public sealed class Tanhshrink(bool inplace) : nn.Module<Tensor, Tensor>(nameof(Tanhshrink))
    {
        public override Tensor forward(Tensor input) => nn.functional.tanhshrink(input, inplace);
    }

    public sealed class Threshold(double threshold, double value, bool inplace) : nn.Module<Tensor, Tensor>(nameof(Threshold))
    {
        public override Tensor forward(Tensor input) => nn.functional.threshold(input, threshold, value, inplace);
    }

    public sealed class ReLU6(bool inplace) : nn.Module<Tensor, Tensor>(nameof(ReLU6))
    {
        public override Tensor forward(Tensor input) => nn.functional.relu6(input, inplace);
    }
}
