using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Convolution over [batch, channels, depth, height, width].</summary>
            public static Conv3d Conv3d(
                long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, Cube(kernel_size), Cube(stride), Cube(padding), Cube(dilation)), groups, bias, padding_mode, device, dtype);

            public static Conv3d Conv3d(
                long in_channels, long out_channels, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null,
                (long, long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null,
                ScalarType? dtype = null) =>
                new(new(in_channels, out_channels, Triple(kernel_size, 1), Triple(stride, 1), Triple(padding, 0), Triple(dilation, 1)), groups, bias, padding_mode, device, dtype);

            public static Conv3d Conv3d(
                long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(
                    new(in_channels, out_channels, Cube(kernel_size), Cube(stride), Cube(0), Cube(dilation)) { PaddingType = padding }, groups, bias, padding_mode, device, dtype);

            /// <summary>The transpose (gradient) of a convolution over [batch, channels, length].</summary>
            public static ConvTranspose1d ConvTranspose1d(
                long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(
                    new(in_channels, out_channels, [kernel_size], [stride], [padding], [dilation]) { Transposed = true, OutputPadding = [output_padding] },
                    groups, bias, padding_mode, device, dtype);

            /// <summary>The transpose (gradient) of a convolution over [batch, channels, depth, height, width].</summary>
            public static ConvTranspose3d ConvTranspose3d(
                long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1,
                PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(
                    new(in_channels, out_channels, Cube(kernel_size), Cube(stride), Cube(padding), Cube(dilation)) { Transposed = true, OutputPadding = Cube(output_padding) },
                    groups, bias, padding_mode, device, dtype);

            public static ConvTranspose3d ConvTranspose3d(
                long in_channels, long out_channels, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null,
                (long, long, long)? output_padding = null, (long, long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1,
                bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(
                    new(in_channels, out_channels, Triple(kernel_size, 1), Triple(stride, 1), Triple(padding, 0), Triple(dilation, 1))
                    {
                        Transposed = true,
                        OutputPadding = Triple(output_padding, 0),
                    },
                    groups, bias, padding_mode, device, dtype);

            private static long[] Cube(long size) => [size, size, size];

            private static long[] Triple((long, long, long)? size, long otherwise) => size is var (a, b, c) ? [a, b, c] : Cube(otherwise);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class Conv3d : Convolution
    {
        internal Conv3d(ConvolutionShape shape, long groups, bool hasBias, PaddingModes mode, Device? device, ScalarType? dtype)
            : base(nameof(Conv3d), "conv3d", shape, groups, hasBias, mode, device, dtype)
        {
        }
    }
}
