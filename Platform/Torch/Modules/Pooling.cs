using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>The largest value of each window of [batch, channels, length].</summary>
            public static MaxPool1d MaxPool1d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) => new(kernel_size, stride, padding, dilation, ceil_mode);

            /// <summary>The mean of each window of [batch, channels, length].</summary>
            public static AvgPool1d AvgPool1d(long kernel_size, long? stride = null, long padding = 0, bool ceil_mode = false, bool count_include_pad = true) => new(kernel_size, stride, padding, ceil_mode, count_include_pad);

            /// <summary>The largest value of each window of [batch, channels, depth, height, width].</summary>
            public static MaxPool3d MaxPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) => new(kernel_size, stride, padding, dilation, ceil_mode);

            /// <summary>The mean of each window of [batch, channels, depth, height, width].</summary>
            public static AvgPool3d AvgPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) => new(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);

            /// <summary>Means of as many windows as the size.</summary>
            public static AdaptiveAvgPool1d AdaptiveAvgPool1d(long output_size) => new(output_size);

            /// <summary>Means of as many windows as the size [height, width].</summary>
            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long[] output_size) => new(output_size);

            /// <summary>Means of as many windows as the size.</summary>
            public static AdaptiveAvgPool3d AdaptiveAvgPool3d(long[] output_size) => new(output_size);

            /// <summary>Largest values of as many windows as the size.</summary>
            public static AdaptiveMaxPool1d AdaptiveMaxPool1d(long output_size) => new(output_size);

            /// <summary>Largest values of as many windows as the size [height, width].</summary>
            public static AdaptiveMaxPool2d AdaptiveMaxPool2d(long[] output_size) => new(output_size);

            /// <summary>Largest values of as many windows as the size.</summary>
            public static AdaptiveMaxPool3d AdaptiveMaxPool3d(long[] output_size) => new(output_size);

            public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long output_size) => new([output_size, output_size]);

            public static AdaptiveAvgPool3d AdaptiveAvgPool3d(long output_size) => new([output_size, output_size, output_size]);

            public static MaxPool3d MaxPool3d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new([kernel_size], [stride ?? kernel_size], [padding ?? 0], [dilation ?? 1], ceil_mode);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class MaxPool1d(long kernel_size, long? stride, long? padding, long? dilation, bool ceil_mode) : nn.Module<Tensor, Tensor>(nameof(MaxPool1d))
    {
        public override Tensor forward(Tensor input) => nn.functional.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode);
    }

    public sealed class AvgPool1d(long kernel_size, long? stride, long padding, bool ceil_mode, bool count_include_pad) : nn.Module<Tensor, Tensor>(nameof(AvgPool1d))
    {
        public override Tensor forward(Tensor input) => nn.functional.avg_pool1d(input, kernel_size, stride, padding, ceil_mode, count_include_pad);
    }

    public sealed class MaxPool3d(long[] kernel_size, long[]? stride, long[]? padding, long[]? dilation, bool ceil_mode) : nn.Module<Tensor, Tensor>(nameof(MaxPool3d))
    {
        public override Tensor forward(Tensor input) => nn.functional.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode);
    }

    public sealed class AvgPool3d(long[] kernel_size, long[]? stride, long[]? padding, bool ceil_mode, bool count_include_pad, long? divisor_override) : nn.Module<Tensor, Tensor>(nameof(AvgPool3d))
    {
        public override Tensor forward(Tensor input) => nn.functional.avg_pool3d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);
    }

    public sealed class AdaptiveAvgPool1d(long output_size) : nn.Module<Tensor, Tensor>(nameof(AdaptiveAvgPool1d))
    {
        public override Tensor forward(Tensor input) => nn.functional.adaptive_avg_pool1d(input, output_size);
    }

    public sealed class AdaptiveAvgPool2d(long[] output_size) : nn.Module<Tensor, Tensor>(nameof(AdaptiveAvgPool2d))
    {
        public override Tensor forward(Tensor input) => nn.functional.adaptive_avg_pool2d(input, output_size);
    }

    public sealed class AdaptiveAvgPool3d(long[] output_size) : nn.Module<Tensor, Tensor>(nameof(AdaptiveAvgPool3d))
    {
        public override Tensor forward(Tensor input) => nn.functional.adaptive_avg_pool3d(input, output_size);
    }

    public sealed class AdaptiveMaxPool1d(long output_size) : nn.Module<Tensor, Tensor>(nameof(AdaptiveMaxPool1d))
    {
        public override Tensor forward(Tensor input) => nn.functional.adaptive_max_pool1d(input, output_size);
    }

    public sealed class AdaptiveMaxPool2d(long[] output_size) : nn.Module<Tensor, Tensor>(nameof(AdaptiveMaxPool2d))
    {
        public override Tensor forward(Tensor input) => nn.functional.adaptive_max_pool2d(input, output_size);
    }

    public sealed class AdaptiveMaxPool3d(long[] output_size) : nn.Module<Tensor, Tensor>(nameof(AdaptiveMaxPool3d))
    {
        public override Tensor forward(Tensor input) => nn.functional.adaptive_max_pool3d(input, output_size);
    }
}
