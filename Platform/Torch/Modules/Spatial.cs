using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public enum UpsampleMode
        {
            Nearest = 0,
            Linear = 1,
            Bilinear = 2,
            Bicubic = 3,
            Trilinear = 4,
        }

        public static partial class nn
        {
            /// <summary>The largest value of each window of [batch, channels, height, width].</summary>
            public static MaxPool2d MaxPool2d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new([kernel_size], [stride ?? kernel_size], [padding ?? 0], [dilation ?? 1], ceil_mode);

            public static MaxPool2d MaxPool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                new(kernel_size, stride ?? kernel_size, padding ?? [0], dilation ?? [1], ceil_mode);

            /// <summary>The mean of each window of [batch, channels, height, width].</summary>
            public static AvgPool2d AvgPool2d(
                long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new([kernel_size], [stride ?? kernel_size], [padding ?? 0], ceil_mode, count_include_pad, divisor_override);

            public static AvgPool2d AvgPool2d(
                long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(kernel_size, stride ?? kernel_size, padding ?? [0], ceil_mode, count_include_pad, divisor_override);

            /// <summary>Enlarges the last dimensions to a size or by a factor.</summary>
            public static Upsample Upsample(
                long[]? size = null, double[]? scale_factor = null, UpsampleMode mode = UpsampleMode.Nearest, bool? align_corners = null, bool? recompute_scale_factor = null) =>
                new(size, scale_factor, mode, align_corners ?? false);

            /// <summary>Joins the dimensions from start_dim to end_dim.</summary>
            public static Flatten Flatten(long start_dim = 1, long end_dim = -1) => new(start_dim, end_dim);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class MaxPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly (long[] Kernel, long[] Stride, long[] Padding, long[] Dilation, bool Ceil) _window;

        internal MaxPool2d(long[] kernel, long[] stride, long[] padding, long[] dilation, bool ceil)
            : base(nameof(MaxPool2d)) => _window = (kernel, stride, padding, dilation, ceil);

        public override Tensor forward(Tensor input) =>
            Dispatcher.Call("max_pool2d", input, _window.Kernel, _window.Stride, _window.Padding, _window.Dilation, _window.Ceil);
    }

    public sealed class AvgPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly (long[] Kernel, long[] Stride, long[] Padding, bool Ceil, bool CountPadding, long? Divisor) _window;

        internal AvgPool2d(long[] kernel, long[] stride, long[] padding, bool ceil, bool countPadding, long? divisor)
            : base(nameof(AvgPool2d)) => _window = (kernel, stride, padding, ceil, countPadding, divisor);

        public override Tensor forward(Tensor input) =>
            Dispatcher.Call("avg_pool2d", input, _window.Kernel, _window.Stride, _window.Padding, _window.Ceil, _window.CountPadding, _window.Divisor);
    }

    public sealed class Upsample : nn.Module<Tensor, Tensor>
    {
        private readonly long[]? _size;
        private readonly double[]? _factors;
        private readonly UpsampleMode _mode;
        private readonly bool _alignCorners;

        internal Upsample(long[]? size, double[]? factors, UpsampleMode mode, bool alignCorners)
            : base(nameof(Upsample))
        {
            if (size is null == (factors is null))
            {
                throw new ArgumentException("upsampling takes either a size or a scale factor");
            }

            (_size, _factors, _mode, _alignCorners) = (size, factors, mode, alignCorners);
        }

        /// <param name="input">[batch, channels, …] with as many dimensions after as the mode has: 1 linear, 2 bilinear and bicubic, 3 trilinear.</param>
        public override Tensor forward(Tensor input)
        {
            int dimensions = input.shape.Length - 2;
            double[]? factors = _factors is { Length: 1 } ? [.. Enumerable.Repeat(_factors[0], dimensions)] : _factors;
            long[]? size = _size is { Length: 1 } ? [.. Enumerable.Repeat(_size[0], dimensions)] : _size;
            return _mode == UpsampleMode.Nearest
                ? Dispatcher.Call(Nearest(dimensions), input, size, factors)
                : Dispatcher.Call(Interpolation(dimensions), input, size, _alignCorners, factors);
        }

        private static string Nearest(int dimensions) => dimensions switch
        {
            1 => "upsample_nearest1d.vec",
            2 => "upsample_nearest2d.vec",
            3 => "upsample_nearest3d.vec",
            _ => throw new ArgumentException($"upsampling takes 3 to 5 dimensions, got {dimensions + 2}"),
        };

        private string Interpolation(int dimensions) => (_mode, dimensions) switch
        {
            (UpsampleMode.Linear, 1) => "upsample_linear1d.vec",
            (UpsampleMode.Bilinear, 2) => "upsample_bilinear2d.vec",
            (UpsampleMode.Bicubic, 2) => "upsample_bicubic2d.vec",
            (UpsampleMode.Trilinear, 3) => "upsample_trilinear3d.vec",
            _ => throw new ArgumentException($"{_mode} does not interpolate {dimensions} dimensions"),
        };
    }

    public sealed class Flatten : nn.Module<Tensor, Tensor>
    {
        private readonly long _first;
        private readonly long _last;

        internal Flatten(long first, long last)
            : base(nameof(Flatten)) => (_first, _last) = (first, last);

        public override Tensor forward(Tensor input) => Dispatcher.Call("flatten.using_ints", input, _first, _last);
    }
}
