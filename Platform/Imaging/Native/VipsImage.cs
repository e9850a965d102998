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

    /// <summary>
    /// Runs the pipeline on the calling thread, a strip of rows at a time (writing to memory as a whole would hand every strip to
    /// worker threads, which costs more than decoding a small picture). 8-bit pixels, rows from the top, interleaved.
    /// </summary>
    public byte[] Pixels()
    {
        int width = Width, height = Height, row = width * Bands;
        var pixels = new byte[(long)row * height];
        nint region = Vips.RegionNew(handle);
        try
        {
            for (int top = 0; top < height; top += StripRows)
            {
                int rows = Math.Min(StripRows, height - top);
                byte* strip = Vips.RegionFetch(region, 0, top, width, rows, out nuint length);
                if (strip == null)
                {
                    throw new ImageException(VipsRuntime.TakeError());
                }

                try
                {
                    new ReadOnlySpan<byte>(strip, checked((int)length)).CopyTo(pixels.AsSpan(top * row, rows * row));
                }
                finally
                {
                    Vips.Free((nint)strip);
                }
            }

            return pixels;
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
