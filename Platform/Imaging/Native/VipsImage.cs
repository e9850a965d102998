using System.Runtime.InteropServices;

namespace Recsys.Imaging.Native;

/// <summary>One reference to a VipsImage: a lazy pipeline that decodes when its pixels are asked for.</summary>
internal sealed unsafe class VipsImage : SafeHandle
{
    private const int StripRows = 32;

    public VipsImage(nint image)
        : base(0, ownsHandle: true) => SetHandle(image);

    public override bool IsInvalid => handle == 0;

    public nint Pointer => handle;

    public int Width => Vips.ImageWidth(handle);

    public int Height => Vips.ImageHeight(handle);

    public int Bands => Vips.ImageBands(handle);

    public bool HasAlpha => Vips.ImageHasAlpha(handle) != 0;

    public int Orientation => Vips.ImageOrientation(handle) is >= 1 and <= 8 and var turn ? turn : 1;

    /// <summary>An image over a copy of interleaved bytes.</summary>
    public static VipsImage FromMemory(ReadOnlySpan<byte> pixels, int width, int height, int bands)
    {
        fixed (byte* data = pixels)
        {
            nint image = Vips.ImageFromMemory(data, (nuint)pixels.Length, width, height, bands, format: 0);
            return image != 0 ? new VipsImage(image) : throw new ImageException(VipsRuntime.TakeError());
        }
    }

    /// <summary>8-bit pixels, rows from the top, interleaved.</summary>
    public byte[] Pixels()
    {
        var pixels = new byte[3L * Width * Height];
        fixed (byte* rgb = pixels)
        {
            Write(PixelSink.Into(rgb, null, null, BatchLayout.Nhwc, (Width, Height), Width, Height, orientation: 1), 0, 0, Width, Height);
        }

        return pixels;
    }

    /// <summary>
    /// Runs the pipeline of an RGB picture on the calling thread, a strip of rows at a time (writing to memory as a whole would hand every
    /// strip to worker threads, which costs more than decoding a small picture), and puts a window of it where the sink says.
    /// </summary>
    public void Write(PixelSink sink, int left, int top, int width, int height)
    {
        if (Bands != 3)
        {
            throw new ImageException($"A picture of {Bands} channels where RGB was expected.");
        }

        nint region = Vips.RegionNew(handle);
        try
        {
            for (int row = 0; row < height; row += StripRows)
            {
                int rows = Math.Min(StripRows, height - row);
                byte* strip = Vips.RegionFetch(region, left, top + row, width, rows, out nuint length);
                if (strip == null)
                {
                    throw new ImageException(VipsRuntime.TakeError());
                }

                if (length == (nuint)(3L * width * rows))
                {
                    sink.Write(strip, row, rows, width);
                }

                Vips.Free((nint)strip);
                if (length != (nuint)(3L * width * rows))
                {
                    throw new ImageException($"A strip of {length} bytes where {3L * width * rows} were expected.");
                }
            }
        }
        finally
        {
            Vips.Unref(region);
        }
    }

    protected override bool ReleaseHandle()
    {
        Vips.Unref(handle);
        return true;
    }
}
