using NetVips;

namespace Recsys.Imaging;

/// <summary>
/// Decodes PNG, JPEG and WebP from strangers: 8-bit sRGB, upright by EXIF, transparency over a background, damaged and truncated files
/// refused. (A JPEG has no checksum: damage that still decodes is seen by nobody, nor is what libvips meets in its last eight rows.)
/// Profiles inside files are not applied to RGB, as training code does. Thread-safe; each call uses one thread.
/// </summary>
public static class ImageDecoder
{
    // Of pictures that are held whole, the larger ones are decoded one at a time: a batch of bombs takes the memory of one.
    private const long Large = 2_000_000;
    private static readonly Lock LargeTurn = new();

    /// <summary>The picture in its own size. A PNG's 8-bit RGB comes out exactly.</summary>
    /// <param name="background">Shows where the picture is transparent; white by default.</param>
    /// <exception cref="ImageException">Not a PNG, JPEG or WebP, damaged, truncated, or over one of <see cref="ImageLimits"/>.</exception>
    public static Picture Decode(ReadOnlySpan<byte> file, Rgb? background = null) => Decode(file, null, background);

    /// <summary>The whole picture in a frame of another size, by Lanczos-3; where it does not fill the frame, the background
    /// shows.</summary>
    /// <inheritdoc cref="Decode(ReadOnlySpan{byte}, Rgb?)"/>
    /// <exception cref="ImageException">Also a side of the frame outside 1 to <see cref="ImageLimits.MaxFrameSide"/>.</exception>
    public static Picture Decode(ReadOnlySpan<byte> file, int width, int height, Rgb? background = null)
    {
        ImageLimits.RequireFrame(width, height);
        return Decode(file, (width, height), background);
    }

    private static Picture Decode(ReadOnlySpan<byte> file, (int Width, int Height)? frame, Rgb? background)
    {
        Libvips.Require();
        var (format, bytes) = UntrustedFile.Check(file);
        try
        {
            using var header = Open(bytes);
            bool whole = format == "WebP" || header.Contains("interlaced");
            ImageLimits.RequireSize(header.Width, header.Height, whole);
            lock (whole && (long)header.Width * header.Height > Large ? LargeTurn : new Lock())
            {
                var (width, height) = Size(header, frame);
                int shrink = format == "JPEG" ? Shrink(header, width, height) : 1;
                using var stored = shrink > 1 ? Open(bytes, shrink) : header;
                var colour = background ?? Rgb.White;
                return Decode(stored, width, height, frame, [colour.R, colour.G, colour.B]);
            }
        }
        catch (VipsException fault)
        {
            // libvips has one error text for all threads, so its words may be another picture's: they are inside only.
            string size = $"{format} of {file.Length:N0} bytes";
            throw new ImageException($"The {size} cannot be decoded whole: damaged, cut short or of a rare kind. Export it again.", fault);
        }
    }

    private static Image Open(byte[] file, int shrink = 1) => Image.NewFromBuffer(
        file,
        access: Enums.Access.Sequential,
        failOn: Enums.FailOn.Warning, // below it, a JPEG's damaged half comes out grey
        kwargs: shrink == 1 ? null : new VOption { ["shrink"] = shrink });

    // Of the resized picture as it lies in the file, before it is turned upright and padded.
    private static (int Width, int Height) Size(Image header, (int Width, int Height)? frame)
    {
        if (frame is not { } to)
        {
            return (header.Width, header.Height);
        }

        bool sideways = header.Contains("orientation") && header.Get("orientation") is int and >= 5 and <= 8;
        double x = (double)(sideways ? to.Height : to.Width) / header.Width, y = (double)(sideways ? to.Width : to.Height) / header.Height;
        double scale = Math.Min(x, y);
        return (Math.Max(1, (int)Math.Round(header.Width * scale)), Math.Max(1, (int)Math.Round(header.Height * scale)));
    }

    // libjpeg shrinks while it decodes; at least twice the wanted size is left for Lanczos.
    private static int Shrink(Image header, int width, int height)
    {
        int shrink = 8;
        while (shrink > 1 && (header.Width < 2L * shrink * width || header.Height < 2L * shrink * height))
        {
            shrink /= 2;
        }

        return shrink;
    }

    // A call costs a tenth of a millisecond, so what would change nothing is not asked. Lazy until CopyMemory, which takes the file's
    // rows one by one, and all of them, wanted or not.
    private static Picture Decode(Image stored, int width, int height, (int Width, int Height)? frame, double[] background)
    {
        using var srgb = stored.Interpretation == Enums.Interpretation.Srgb ? stored : stored.Colourspace(Enums.Interpretation.Srgb);
        using var opaque = srgb.HasAlpha() ? srgb.Flatten(background) : srgb; // before resizing: no hidden colour leaks
        using var sized = (opaque.Width, opaque.Height) == (width, height) ? opaque : ImageResizer.Resize(opaque, width, height);
        using var memory = sized.CopyMemory();
        using var upright = memory.Contains("orientation") ? memory.Autorot() : memory;
        using var framed = frame is not { } to || (upright.Width, upright.Height) == to ? upright
            : upright.Gravity(Enums.CompassDirection.Centre, to.Width, to.Height, Enums.Extend.Background, background);
        return new Picture(framed.Width, framed.Height, framed.WriteToMemory<byte>());
    }
}
