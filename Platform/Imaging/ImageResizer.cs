using System.Globalization;
using Recsys.Imaging.Native;

namespace Recsys.Imaging;

/// <summary>Resizes with Lanczos-3 (antialiased when shrinking, bicubic when enlarging), in sRGB values.</summary>
public static class ImageResizer
{
    /// <summary>Longest side that a resize may produce.</summary>
    public const int MaxSide = 4096;

    // Above this factor a box filter shrinks first, to 8 times the target: Lanczos' own window would grow without visible gain.
    private const double BoxAbove = 16;

    /// <exception cref="ImageException">A side outside 1 to <see cref="MaxSide"/>.</exception>
    public static Picture Resize(Picture picture, int width, int height)
    {
        if (width is < 1 or > MaxSide || height is < 1 or > MaxSide)
        {
            throw new ImageException($"Resize to {width} × {height} pixels; each side may have 1 to {MaxSide}.");
        }

        VipsRuntime.Ensure();
        using var source = VipsImage.FromMemory(picture.Rgb, picture.Width, picture.Height, 3);
        using var sized = Resize(source, width, height);
        return new Picture(sized.Width, sized.Height, sized.Pixels());
    }

    internal static VipsImage Resize(VipsImage source, int width, int height)
    {
        double x = (double)width / source.Width, y = (double)height / source.Height;
        using var resize = new VipsOperation("resize").Set("in", source).Set("scale", x).Set("vscale", y).Set("kernel", "lanczos3")
            .Set("gap", Math.Min(x, y) < 1 / BoxAbove ? 8.0 : 0.0);
        var sized = resize.Run().Image();
        if (sized.Width != width || sized.Height != height)
        {
            string got = $"{sized.Width} × {sized.Height}";
            sized.Dispose();
            throw new ImageException($"A picture of {source.Width} × {source.Height} came out as {got} instead of {width} × {height}.");
        }

        return sized;
    }

    internal static VipsImage Flatten(VipsImage source, Rgb background) =>
        new VipsOperation("flatten").Set("in", source)
            .Set("background", string.Create(CultureInfo.InvariantCulture, $"{background.R} {background.G} {background.B}")).Run().TakeImage();
}
