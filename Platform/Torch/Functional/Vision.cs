using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public enum InterpolationMode
    {
        Nearest = 0,
        Linear = 1,
        Bilinear = 2,
        Bicubic = 3,
        Trilinear = 4,
        Area = 5,
    }

    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Resizes the trailing dimensions, to a size or by factors. [batch, channels, ...].</summary>
            public static Tensor interpolate(
                Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest,
                bool? align_corners = null, bool recompute_scale_factor = false, bool antialias = false)
            {
                if ((size is null) == (scale_factor is null))
                {
                    throw new ArgumentException("interpolate takes either size or scale_factor.");
                }

                var spatial = (int)x.ndim - 2;
                if (size is not null && size.Length == 1 && spatial > 1)
                {
                    size = [.. Enumerable.Repeat(size[0], spatial)];
                }

                if (scale_factor is not null && scale_factor.Length == 1 && spatial > 1)
                {
                    scale_factor = [.. Enumerable.Repeat(scale_factor[0], spatial)];
                }

                if (scale_factor is not null && (recompute_scale_factor || mode == InterpolationMode.Area))
                {
                    size = [.. scale_factor.Select((f, i) => (long)(x.size(i + 2) * f))];
                    scale_factor = null;
                }

                var corners = align_corners ?? false;
                return (mode, spatial) switch
                {
                    (InterpolationMode.Nearest, 1) => Call("upsample_nearest1d.vec", x, size, scale_factor),
                    (InterpolationMode.Nearest, 2) => Call("upsample_nearest2d.vec", x, size, scale_factor),
                    (InterpolationMode.Nearest, 3) => Call("upsample_nearest3d.vec", x, size, scale_factor),
                    (InterpolationMode.Linear, 1) => Call("upsample_linear1d.vec", x, size, corners, scale_factor),
                    (InterpolationMode.Bilinear, 2) when antialias => Call("_upsample_bilinear2d_aa.vec", x, size, corners, scale_factor),
                    (InterpolationMode.Bilinear, 2) => Call("upsample_bilinear2d.vec", x, size, corners, scale_factor),
                    (InterpolationMode.Bicubic, 2) when antialias => Call("_upsample_bicubic2d_aa.vec", x, size, corners, scale_factor),
                    (InterpolationMode.Bicubic, 2) => Call("upsample_bicubic2d.vec", x, size, corners, scale_factor),
                    (InterpolationMode.Trilinear, 3) => Call("upsample_trilinear3d.vec", x, size, corners, scale_factor),
                    (InterpolationMode.Area, 1) => Call("adaptive_avg_pool1d", x, size),
                    (InterpolationMode.Area, 2) => Call("adaptive_avg_pool2d", x, size),
                    (InterpolationMode.Area, 3) => Call("adaptive_avg_pool3d", x, size),
                    _ => throw new ArgumentException($"{mode} interpolation does not take a tensor of {x.ndim} dimensions."),
                };
            }

            /// <summary>Pads from the last dimension backwards: (left, right, top, bottom, ...).</summary>
            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                Call("pad", input, pad, PadMode(mode), PadMode(mode) == "constant" ? value : default(Value));

            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, pad.ToArray(), mode, value);

            public static Tensor pad(Tensor input, (long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, (long[])[pad.Item1, pad.Item2], mode, value);

            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, (long[])[pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            public static Tensor pixel_shuffle(Tensor input, long upscale_factor) => input.pixel_shuffle(upscale_factor);

            public static Tensor pixel_unshuffle(Tensor input, long downscale_factor) => input.pixel_unshuffle(downscale_factor);

            private static string PadMode(PaddingModes mode) => mode switch
            {
                PaddingModes.Zeros or PaddingModes.Constant => "constant",
                PaddingModes.Reflect => "reflect",
                PaddingModes.Replicate => "replicate",
                PaddingModes.Circular => "circular",
                _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a padding mode"),
            };
        }
    }
}
