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
        using var opened = Open(file, options);
        var image = opened.Image;
        return new ImageInfo(opened.Format, image.Width, image.Height, image.Bands, image.HasAlpha, image.Orientation);
    }

    /// <summary>The whole picture: upright, sRGB, transparency over the background. A PNG's 8-bit RGB comes out exactly.</summary>
    /// <exception cref="ImageException">Not a PNG, JPEG or WebP, damaged, truncated, or over a limit of <paramref name="options"/>.</exception>
    public static Picture Decode(ReadOnlySpan<byte> file, DecodeOptions? options = null) => Decode(file, 0, 0, ImageFit.Stretch, options ?? DecodeOptions.Default);

    /// <summary>
    /// The picture in a frame of <paramref name="width"/> × <paramref name="height"/>. Lanczos-3 with antialiasing; a large JPEG is first
    /// shrunk while decoding, to no less than twice what is needed.
    /// </summary>
    /// <exception cref="ImageException">As for <see cref="Decode(ReadOnlySpan{byte}, DecodeOptions?)"/>; or a side outside 1 to 4,096.</exception>
    public static Picture DecodeFit(ReadOnlySpan<byte> file, int width, int height, ImageFit fit = ImageFit.Contain, DecodeOptions? options = null)
    {
        options ??= DecodeOptions.Default;
        RequireFrame(width, height, options.File);
        return Decode(file, width, height, fit, options);
    }

    /// <summary>
    /// The picture shrunk (or enlarged) until its longer side is <paramref name="size"/>, in the middle of a square of the background.
    /// </summary>
    /// <exception cref="ImageException">As for <see cref="DecodeFit"/>.</exception>
    public static Picture DecodeSquare(ReadOnlySpan<byte> file, int size, Rgb background) =>
        DecodeSquare(file, size, DecodeOptions.Default with { Background = background });

    /// <inheritdoc cref="DecodeSquare(ReadOnlySpan{byte}, int, Rgb)"/>
    public static Picture DecodeSquare(ReadOnlySpan<byte> file, int size, DecodeOptions options) => DecodeFit(file, size, size, ImageFit.Contain, options);

    internal static void RequireFrame(int width, int height, string? file)
    {
        if (width is < 1 or > ImageResizer.MaxSide || height is < 1 or > ImageResizer.MaxSide)
        {
            throw new ImageException($"A frame of {width} × {height} pixels; each side may have 1 to {ImageResizer.MaxSide}.", file);
        }
    }

    /// <summary>Decodes straight into a frame of a batch: each value is written once, in its layout, upright.</summary>
    /// <param name="bytes">The frame's 3 × width × height values; null where they are floats, by the 256 of <paramref name="table"/>.</param>
    internal static unsafe void DecodeInto(
        ReadOnlySpan<byte> file, byte* bytes, float* floats, float* table, int width, int height, BatchLayout layout, ImageFit fit, DecodeOptions options)
    {
        using var opened = Open(file, options);
        opened.Decode(width, height, fit, options, (sized, orientation, left, top, w, h) =>
        {
            sized.Write(PixelSink.Into(bytes, floats, table, layout, (width, height), w, h, orientation), left, top, w, h);
            return true;
        });
    }

    private static unsafe Picture Decode(ReadOnlySpan<byte> file, int width, int height, ImageFit fit, DecodeOptions options)
    {
        using var opened = Open(file, options);
        return opened.Decode(width, height, fit, options, (sized, orientation, left, top, w, h) =>
        {
            var (toWidth, toHeight) = width > 0 ? (width, height) : orientation >= 5 ? (h, w) : (w, h);
            bool covered = orientation >= 5 ? (h, w) == (toWidth, toHeight) : (w, h) == (toWidth, toHeight);
            var picture = covered ? new Picture(toWidth, toHeight, new byte[3L * toWidth * toHeight]) : Picture.Solid(toWidth, toHeight, options.Background);
            fixed (byte* rgb = picture.Rgb)
            {
                sized.Write(PixelSink.Into(rgb, null, null, BatchLayout.Nhwc, (toWidth, toHeight), w, h, orientation), left, top, w, h);
            }

            return picture;
        });
    }

    private static OpenedPicture Open(ReadOnlySpan<byte> file, DecodeOptions options)
    {
        if (file.Length > options.MaxBytes)
        {
            throw new ImageException($"The file has {file.Length:N0} bytes; at most {options.MaxBytes:N0} are decoded.", options.File);
        }

        var format = ImageSniffer.Sniff(file, options.File);
        bool whole = format == ImageFormat.WebP;
        if (format == ImageFormat.Jpeg && JpegMarkers.Fault(file, out whole) is { } fault)
        {
            throw new ImageException(fault, options.File);
        }

        whole |= format == ImageFormat.Png && PngChunks.IsInterlaced(file);
        return new OpenedPicture(format == ImageFormat.Png ? PngChunks.Essential(file) : file, format, whole, options);
    }
}
