using Recsys.Imaging.Native;

namespace Recsys.Imaging;

/// <summary>A file whose header was read and found within the limits, and nothing decoded yet.</summary>
internal sealed class OpenedPicture : IDisposable
{
    private const int MostSide = 65_535;
    private readonly bool _whole;
    private readonly byte[] _file; // of a JPEG, which may be opened again to be shrunk
    private VipsImage _image;

    public OpenedPicture(ReadOnlySpan<byte> file, ImageFormat format, bool whole, DecodeOptions options)
    {
        (Format, _whole, _file) = (format, whole, format == ImageFormat.Jpeg ? file.ToArray() : []);
        _image = Named(options, file, shrink: 1);
        try
        {
            Require(options);
        }
        catch
        {
            _image.Dispose();
            throw;
        }
    }

    /// <summary>Puts a window of the sized picture, at (left, top), of (width, height), where it belongs.</summary>
    public delegate T Place<T>(VipsImage sized, int orientation, int left, int top, int width, int height);

    public ImageFormat Format { get; }

    public VipsImage Image => _image;

    /// <summary>
    /// To sRGB of 8 bits, alpha over the background, resized, decoded (all lazily until here), and placed. Quarter turns happen where the
    /// pixels are placed, on the small picture, because a sequential decode cannot be read sideways. Flattening before resizing equals
    /// resizing premultiplied alpha, so no dark fringes.
    /// </summary>
    /// <param name="width">Of the upright frame; 0 for the picture's own size.</param>
    public T Decode<T>(int width, int height, ImageFit fit, DecodeOptions options, Place<T> place) =>
        HeldWhole.InTurn(_whole, (long)_image.Width * _image.Height, () =>
        {
            try
            {
                int orientation = options.Upright ? _image.Orientation : 1;
                if (width == 0)
                {
                    using var own = Opaque(options.Background);
                    return place(own, orientation, 0, 0, own.Width, own.Height);
                }

                var (toWidth, toHeight) = orientation >= 5 ? (height, width) : (width, height); // the frame as the file lies
                var (w, h) = Fitting.Size(_image.Width, _image.Height, toWidth, toHeight, fit);
                if (Format == ImageFormat.Jpeg && Shrink(w, h) is > 1 and var shrink)
                {
                    _image.Dispose();
                    _image = Named(options, _file, shrink);
                }

                // Of an odd number of pixels too many, the upright picture loses the last one on the right or below.
                int left = Math.Max(0, w - toWidth + (PixelSink.ColumnsBack(orientation) ? 1 : 0)) / 2;
                int top = Math.Max(0, h - toHeight + (PixelSink.RowsBack(orientation) ? 1 : 0)) / 2;
                using var colour = Opaque(options.Background);
                using var sized = ImageResizer.Resize(colour, w, h);
                return place(sized, orientation, left, top, Math.Min(w, toWidth), Math.Min(h, toHeight));
            }
            catch (ImageException fault) when (options.File is not null && fault.File is null)
            {
                throw new ImageException(fault.Message, options.File, fault);
            }
        });

    public void Dispose() => _image.Dispose();

    private VipsImage Opaque(Rgb background)
    {
        var colour = new VipsOperation("colourspace").Set("in", _image).Set("space", "srgb").Run().TakeImage();
        if (!colour.HasAlpha)
        {
            return colour;
        }

        using (colour)
        {
            return ImageResizer.Flatten(colour, background);
        }
    }

    // libjpeg can shrink while decoding; at least twice the wanted size is left for Lanczos.
    private int Shrink(int width, int height)
    {
        int shrink = 8;
        while (shrink > 1 && (_image.Width < 2L * shrink * width || _image.Height < 2L * shrink * height))
        {
            shrink /= 2;
        }

        return shrink;
    }

    private void Require(DecodeOptions options)
    {
        long pixels = (long)_image.Width * _image.Height;
        string size = $"{_image.Width} × {_image.Height}";
        if (pixels > options.MaxPixels)
        {
            throw new ImageException($"The header says {size} pixels; at most {options.MaxPixels:N0} are decoded.", options.File);
        }

        if (_whole && pixels > HeldWhole.MostPixels)
        {
            throw new ImageException($"The header says {size} pixels; at most {HeldWhole.MostPixels:N0} are decoded of a picture that cannot be read row by row (interlaced, progressive or WebP).", options.File);
        }

        if (_image.Width > MostSide || _image.Height > MostSide)
        {
            throw new ImageException($"The header says {size} pixels; no side may have more than {MostSide:N0}.", options.File);
        }
    }

    private VipsImage Named(DecodeOptions options, ReadOnlySpan<byte> file, int shrink)
    {
        try
        {
            string loader = Format switch { ImageFormat.Png => "pngload_buffer", ImageFormat.Jpeg => "jpegload_buffer", _ => "webpload_buffer" };
            using var load = new VipsOperation(loader).Set("buffer", file).Set("access", "sequential").Set("fail_on", "error");
            if (shrink > 1)
            {
                load.Set("shrink", shrink);
            }

            return load.Run().Image();
        }
        catch (ImageException fault) when (options.File is not null && fault.File is null)
        {
            throw new ImageException(fault.Message, options.File, fault);
        }
    }
}
