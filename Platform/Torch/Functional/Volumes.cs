using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public enum GridSampleMode
        {
            Bilinear = 0,
            Nearest = 1,
            Bicubic = 2,
        }

        public enum GridSamplePaddingMode
        {
            Zeros = 0,
            Border = 1,
            Reflection = 2,
        }

        public static partial class functional
        {
            /// <summary>[batch, in, depth, height, width] with weight [in, out / groups, kernel, kernel, kernel].</summary>
            public static Tensor conv_transpose3d(
                Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? output_padding = null, long[]? dilation = null, long groups = 1) =>
                Call("conv_transpose3d.input", input, weight, bias, strides ?? [1, 1, 1], padding ?? [0, 0, 0], output_padding ?? [0, 0, 0], groups, dilation ?? [1, 1, 1]);

            public static Tensor avg_pool3d(
                Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                Call("avg_pool3d", input, kernel_size, strides ?? kernel_size, padding ?? [0], ceil_mode, count_include_pad, divisor_override);

            public static Tensor max_pool3d(
                Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                Call("max_pool3d", input, kernel_size, strides ?? kernel_size, padding ?? [0], dilation ?? [1], ceil_mode);

            public static (Tensor output, Tensor indices) max_pool2d_with_indices(
                Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                Call2("max_pool2d_with_indices", input, kernel_size, strides ?? kernel_size, padding ?? [0], dilation ?? [1], ceil_mode);

            public static Tensor adaptive_avg_pool3d(Tensor input, long[] output_size) => Call("adaptive_avg_pool3d", input, output_size);

            public static Tensor adaptive_avg_pool3d(Tensor input, long output_size) => adaptive_avg_pool3d(input, [output_size, output_size, output_size]);

            public static Tensor adaptive_max_pool1d(Tensor input, long outputSize) => First(Call2("adaptive_max_pool1d", input, (long[])[outputSize]));

            public static Tensor adaptive_max_pool2d(Tensor input, long[] output_size) => First(Call2("adaptive_max_pool2d", input, output_size));

            public static Tensor adaptive_max_pool3d(Tensor input, long[] output_size) => First(Call2("adaptive_max_pool3d", input, output_size));

            /// <summary>x / (k + alpha/size · Σ x²)^beta over neighbouring channels (Krizhevsky et al. 2012).</summary>
            public static Tensor local_response_norm(Tensor input, long size, double alpha = 0.0001, double beta = 0.75, double k = 1.0)
            {
                using var scope = NewDisposeScope();
                var padded = input.square().unsqueeze(1).flatten(3); // [batch, 1, channels, places]
                var mean = functional.avg_pool2d(functional.pad(padded, (0, 0, size / 2, (size - 1) / 2)), [size, 1], [1, 1]);
                return (input / mean.view(input.shape).mul(alpha).add(k).pow(beta)).MoveToOuterDisposeScope();
            }

            /// <summary>Values of the input [batch, channels, height, width] at places [batch, h, w, 2] in −1 … 1, x before y.</summary>
            public static Tensor grid_sample(
                Tensor input, Tensor grid, GridSampleMode mode = GridSampleMode.Bilinear, GridSamplePaddingMode padding_mode = GridSamplePaddingMode.Zeros, bool? align_corners = null) =>
                Call("grid_sampler", input, grid, (long)mode, (long)padding_mode, align_corners ?? false);

            /// <summary>Places for <see cref="grid_sample"/> by matrices [batch, 2, 3] for a result of this size.</summary>
            public static Tensor affine_grid(Tensor theta, long[]? size = null, bool align_corners = false) =>
                Call("affine_grid_generator", theta, size ?? throw new ArgumentNullException(nameof(size)), align_corners);

            public static Tensor upsample(Tensor input, long[]? size = null, double[]? scale_factor = null, UpsampleMode mode = UpsampleMode.Nearest, bool align_corners = false) =>
                interpolate(input, size, scale_factor, (InterpolationMode)mode, align_corners);

            private static Tensor First((Tensor Output, Tensor Indices) pooled)
            {
                pooled.Indices.Dispose();
                return pooled.Output;
            }
        }
    }
}
