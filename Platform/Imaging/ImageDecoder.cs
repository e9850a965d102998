using Recsys.Imaging.Native;

namespace Recsys.Imaging;

/// <summary>
/// Decodes PNG, JPEG and WebP from strangers: the format by its first bytes (libvips' other loaders are blocked), the size from the
/// header before a pixel is decoded, damaged and truncated files refused. Colour profiles are not applied: values are taken as sRGB,
/// as training code in the field does. Safe to call from any number of threads; each call uses one.
/// </summary>
public static class ImageDecoder
{
    /// <summary>What the header says; decodes nothing.</summary>
    /// <exception cref="ImageException">Not a PNG, JPEG or WebP, a damaged header, or over a limit of <paramref name="options"/>.</exception>
    public static ImageInfo Probe(ReadOnlySpan<byte> file, DecodeOptions? options = null)
    {
        options ??= DecodeOptions.Default;
        using var image = Open(file, options, shrink: 1, out var format);
        return new ImageInfo(format, image.Width, image.Height, image.Bands, image.HasAlpha, image.Orientation);
    }

    /// <summary>The whole picture: upright, sRGB, transparency over the background. A PNG's 8-bit RGB comes out exactly.</summary>
    /// <exception cref="ImageException">Not a PNG, JPEG or WebP, damaged, truncated, or over a limit of <paramref name="options"/>.</exception>
    public static Picture Decode(ReadOnlySpan<byte> file, DecodeOptions? options = null)
    {
        options ??= DecodeOptions.Default;
        using var image = Open(file, options, shrink: 1, out _);
        return Finish(image, image.Width, image.Height, options);
    }

    /// <summary>
    /// The picture shrunk (or enlarged) until its longer side is <paramref name="size"/>, in the middle of a square of the background.
    /// Lanczos-3 with antialiasing; a large JPEG is first shrunk while decoding, to no less than twice what is needed.
    /// </summary>
    /// <exception cref="ImageException">As for <see cref="Decode"/>; or a size outside 1 to 4,096.</exception>
    public static Picture DecodeSquare(ReadOnlySpan<byte> file, int size, Rgb background) =>
        DecodeSquare(file, size, DecodeOptions.Default with { Background = background });

    /// <inheritdoc cref="DecodeSquare(ReadOnlySpan{byte}, int, Rgb)"/>
    public static Picture DecodeSquare(ReadOnlySpan<byte> file, int size, DecodeOptions options)
    {
        if (size is < 1 or > ImageResizer.MaxSide)
        {
            throw new ImageException($"A square of {size} pixels; it may have 1 to {ImageResizer.MaxSide}.", options.File);
        }

        var image = Open(file, options, shrink: 1, out var format);
        try
        {
            int shrink = format == ImageFormat.Jpeg ? JpegShrink(Math.Max(image.Width, image.Height), size) : 1;
            var (width, height) = ImageResizer.Fit(image.Width, image.Height, size);
            if (shrink > 1)
            {
                image.Dispose();
                image = Open(file, options, shrink, out _);
            }

            return Finish(image, width, height, options).PadToSquare(options.Background);
        }
        finally
        {
            image.Dispose();
        }
    }

    private static int JpegShrink(int side, int target)
    {
        int shrink = 8;
        while (shrink > 1 && side < 2L * shrink * target)
        {
            shrink /= 2;
        }

        return shrink;
    }

    private static VipsImage Open(ReadOnlySpan<byte> file, DecodeOptions options, int shrink, out ImageFormat format)
    {
        if (file.Length > options.MaxBytes)
        {
            throw new ImageException($"The file has {file.Length:N0} bytes; at most {options.MaxBytes:N0} are decoded.", options.File);
        }

        format = ImageSniffer.Sniff(file, options.File);
        file = format == ImageFormat.Png ? PngChunks.Essential(file) : file;
        return Named(options.File, file, format, shrink, options.MaxPixels, static (bytes, format, shrink, maxPixels) =>
        {
            string loader = format switch { ImageFormat.Png => "pngload_buffer", ImageFormat.Jpeg => "jpegload_buffer", _ => "webpload_buffer" };
            using var load = new VipsOperation(loader).Set("buffer", bytes).Set("access", "sequential").Set("fail_on", "error");
            if (shrink > 1)
            {
                load.Set("shrink", shrink);
            }

            var image = load.Run().Image();
            if ((long)image.Width * image.Height > maxPixels)
            {
                string size = $"{image.Width} × {image.Height}";
                image.Dispose();
                throw new ImageException($"The header says {size} pixels; at most {maxPixels:N0} are decoded.");
            }

            return image;
        });
    }

    private delegate VipsImage Load(ReadOnlySpan<byte> file, ImageFormat format, int shrink, long maxPixels);

    private static VipsImage Named(string? name, ReadOnlySpan<byte> file, ImageFormat format, int shrink, long maxPixels, Load load)
    {
        try
        {
            return load(file, format, shrink, maxPixels);
        }
        catch (ImageException fault) when (name is not null && fault.File is null)
        {
            throw new ImageException(fault.Message, name, fault);
        }
    }

    // To sRGB of 8 bits, alpha over the background, resize, decode (all lazily until here), then upright: quarter turns come last,
    // on the small picture, because a sequential decode cannot be read sideways. Flattening before resizing equals resizing
    // premultiplied alpha, so no dark fringes.
    private static Picture Finish(VipsImage image, int width, int height, DecodeOptions options)
    {
        try
        {
            using var colour = new VipsOperation("colourspace").Set("in", image).Set("space", "srgb").Run().TakeImage();
            using var opaque = colour.HasAlpha ? ImageResizer.Flatten(colour, options.Background) : null;
            using var sized = ImageResizer.Resize(opaque ?? colour, width, height);
            var picture = new Picture(sized.Width, sized.Height, sized.Pixels());
            return options.Upright ? ImageOrientation.Upright(picture, image.Orientation) : picture;
        }
        catch (ImageException fault) when (options.File is not null && fault.File is null)
        {
            throw new ImageException(fault.Message, options.File, fault);
        }
    }
}
