using System.Runtime.InteropServices;

namespace Recsys.Imaging.Native;

/// <summary>One reference to a VipsImage: a lazy pipeline that decodes when its pixels are asked for.</summary>
internal sealed unsafe class VipsImage : SafeHandle
{
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

    /// <summary>Runs the pipeline; 8-bit pixels, rows from the top, interleaved.</summary>
    public byte[] Pixels()
    {
        byte* data = Vips.ImageToMemory(handle, out nuint length);
        if (data == null)
        {
            throw new ImageException(VipsRuntime.TakeError());
        }

        try
        {
            return new ReadOnlySpan<byte>(data, checked((int)length)).ToArray();
        }
        finally
        {
            Vips.Free((nint)data);
        }
    }

    protected override bool ReleaseHandle()
    {
        Vips.Unref(handle);
        return true;
    }
}
