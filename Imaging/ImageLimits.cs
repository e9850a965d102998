namespace Recsys.Imaging;

/// <summary>What is decoded at most. All of it is checked on the header, before memory is taken for a pixel.</summary>
public static class ImageLimits
{
    /// <summary>Bytes of a file.</summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>Pixels of a picture that is decoded row by row.</summary>
    public const long MaxPixels = 64_000_000;

    /// <summary>Pixels where the whole picture is held at once: interlaced PNG, progressive JPEG, WebP; at most 256 MB.</summary>
    public const long MaxWholePixels = 32_000_000;

    /// <summary>Pixels of one side of a file's picture.</summary>
    public const int MaxSide = 65_535;

    /// <summary>Pixels of one side that a picture is resized to.</summary>
    public const int MaxFrameSide = 4096;

    internal static void RequireFrame(int width, int height)
    {
        if (width is < 1 or > MaxFrameSide || height is < 1 or > MaxFrameSide)
        {
            throw new ImageException($"A frame of {width} × {height} pixels: each side may have 1 to {MaxFrameSide}.");
        }
    }

    internal static void RequireSize(int width, int height, bool whole)
    {
        long pixels = (long)width * height, max = whole ? MaxWholePixels : MaxPixels;
        if (pixels > max || Math.Max(width, height) > MaxSide)
        {
            string held = whole ? " of a picture that is interlaced, progressive or WebP" : "";
            string size = $"{width} × {height} pixels";
            throw new ImageException($"The header says {size}; at most {max:N0}{held} are decoded, {MaxSide:N0} a side. Shrink it.");
        }
    }
}
