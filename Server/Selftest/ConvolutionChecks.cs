using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Convolutions, pooling, interpolation and padding.</summary>
internal static class ConvolutionChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("conv1d", [[2, 3, 9], [4, 3, 3], [4]], x => F.conv1d(x[0], x[1], x[2], 2, 1)),
        new("conv2d 3x3", [[2, 3, 9, 9], [4, 3, 3, 3], [4]], x => F.conv2d(x[0], x[1], x[2], padding: [1, 1])),
        new("conv2d stride 2", [[2, 3, 8, 8], [4, 3, 3, 3], [4]], x => F.conv2d(x[0], x[1], x[2], strides: [2, 2], padding: [1, 1])),
        new("conv2d groups, dilation", [[2, 4, 8, 8], [4, 2, 3, 3]], x => F.conv2d(x[0], x[1], dilation: [2, 2], groups: 2)),
        new("conv3d", [[1, 2, 4, 4, 4], [3, 2, 2, 2, 2]], x => F.conv3d(x[0], x[1])),
        new("conv_transpose1d", [[2, 3, 7], [3, 4, 3]], x => F.conv_transpose1d(x[0], x[1], stride: 2)),
        new("conv_transpose2d", [[2, 3, 5, 5], [3, 4, 3, 3], [4]], x => F.conv_transpose2d(x[0], x[1], x[2], [2, 2], [1, 1])),
        new("conv_transpose3d", [[1, 2, 3, 3, 3], [2, 3, 2, 2, 2]], x => F.conv_transpose3d(x[0], x[1], strides: [2, 2, 2])),
        new("max_pool1d", [[2, 3, 9]], x => F.max_pool1d(x[0], 3)),
        new("max_pool2d", [[2, 4, 8, 8]], x => F.max_pool2d(x[0], 3, 2, 1)),
        new("max_pool3d", [[1, 2, 4, 4, 4]], x => F.max_pool3d(x[0], [2, 2, 2])),
        new("avg_pool1d", [[2, 3, 9]], x => F.avg_pool1d(x[0], 3)),
        new("avg_pool2d", [[2, 4, 8, 8]], x => F.avg_pool2d(x[0], 2)),
        new("avg_pool3d", [[1, 2, 4, 4, 4]], x => F.avg_pool3d(x[0], [2, 2, 2])),
        new("adaptive_avg_pool2d", [[2, 4, 8, 8]], x => F.adaptive_avg_pool2d(x[0], [3, 5])),
        new("adaptive_max_pool2d", [[2, 4, 8, 8]], x => F.adaptive_max_pool2d(x[0], [3, 5])),
        new("nearest upsampling", [[2, 3, 4, 4]], x => F.interpolate(x[0], scale_factor: [2, 2], mode: InterpolationMode.Nearest)),
        new("bilinear", [[2, 4, 8, 8]], x => F.interpolate(x[0], [11, 5], mode: InterpolationMode.Bilinear)),
        new("bilinear, antialiased", [[2, 4, 8, 8]], x => F.interpolate(x[0], [5, 3], mode: InterpolationMode.Bilinear, antialias: true)),
        new("bicubic", [[2, 4, 8, 8]], x => F.interpolate(x[0], [11, 5], mode: InterpolationMode.Bicubic)),
        new("area", [[2, 4, 8, 8]], x => F.interpolate(x[0], [4, 2], mode: InterpolationMode.Area)),
        new("pad reflect", [[2, 4, 8, 8]], x => F.pad(x[0], (1, 2, 3, 0), PaddingModes.Reflect)),
        new("pad replicate", [[2, 4, 8, 8]], x => F.pad(x[0], (1, 2, 3, 0), PaddingModes.Replicate)),
        new("pad circular", [[2, 4, 8, 8]], x => F.pad(x[0], (1, 2, 3, 0), PaddingModes.Circular)),
        new("pad constant", [[2, 4, 8, 8]], x => F.pad(x[0], (1, 2, 3, 0), value: 2)),
        new("pixel_shuffle", [[2, 4, 8, 8]], x => F.pixel_shuffle(x[0], 2)),
        new("unfold and fold", [[2, 4, 8, 8]], x => F.fold(F.unfold(x[0], 3, padding: 1), [8, 8], [3, 3], padding: [1, 1])),
        new("grid_sample", [[2, 4, 8, 8], [2, 3, 3, 2]], x => F.grid_sample(x[0], x[1].tanh())),
    ];
}
