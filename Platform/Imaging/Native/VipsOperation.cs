using System.Globalization;

namespace Recsys.Imaging.Native;

/// <summary>One libvips operation: set its arguments by name, <see cref="Run"/> it, take its result.</summary>
internal sealed unsafe class VipsOperation : IDisposable
{
    private nint _operation;

    public VipsOperation(string name)
    {
        VipsRuntime.Ensure();
        _operation = Vips.OperationNew(name);
        if (_operation == 0)
        {
            throw new ImageException($"This libvips has no operation '{name}': {VipsRuntime.TakeError()}. Install Debian's libvips42, which is built with PNG, JPEG and WebP.");
        }
    }

    public VipsOperation Set(string name, string value)
    {
        if (Vips.ObjectSetArgument(_operation, name, value) != 0)
        {
            throw Failed();
        }

        return this;
    }

    public VipsOperation Set(string name, int value) => Set(name, value.ToString(CultureInfo.InvariantCulture));

    public VipsOperation Set(string name, double value)
    {
        Vips.GValue number = default;
        Vips.ValueInit(&number, Vips.DoubleType);
        Vips.ValueSetDouble(&number, value);
        Vips.SetProperty(_operation, name, &number);
        Vips.ValueUnset(&number);
        return this;
    }

    public VipsOperation Set(string name, bool value) => Set(name, value ? "true" : "false");

    public VipsOperation Set(string name, VipsImage image)
    {
        Vips.GValue value = default;
        Vips.ValueInit(&value, Vips.ImageType());
        Vips.ValueSetObject(&value, image.Pointer);
        Vips.SetProperty(_operation, name, &value);
        Vips.ValueUnset(&value);
        GC.KeepAlive(image);
        return this;
    }

    /// <summary>Sets a copy of the bytes, so that no pipeline ever reads memory that moved.</summary>
    public VipsOperation Set(string name, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            nint blob = Vips.BlobCopy(data, (nuint)bytes.Length);
            Vips.GValue value = default;
            Vips.ValueInit(&value, Vips.BlobType());
            Vips.ValueSetBoxed(&value, blob);
            Vips.SetProperty(_operation, name, &value);
            Vips.ValueUnset(&value);
            Vips.AreaUnref(blob);
        }

        return this;
    }

    /// <exception cref="ImageException">The operation refused, with libvips' own words.</exception>
    public VipsOperation Run() => Vips.ObjectBuild(_operation) == 0 ? this : throw Failed();

    public VipsImage Image(string name = "out")
    {
        Vips.GValue value = default;
        Vips.ValueInit(&value, Vips.ImageType());
        Vips.GetProperty(_operation, name, &value);
        nint image = Vips.ValueDupObject(&value);
        Vips.ValueUnset(&value);
        return image != 0 ? new VipsImage(image) : throw new ImageException($"libvips gave no image '{name}'.");
    }

    /// <summary>The image of an operation that is used for nothing else; disposes the operation.</summary>
    public VipsImage TakeImage()
    {
        using (this)
        {
            return Image();
        }
    }

    public byte[] Bytes(string name = "buffer")
    {
        Vips.GValue value = default;
        Vips.ValueInit(&value, Vips.BlobType());
        Vips.GetProperty(_operation, name, &value);
        byte* data = Vips.BlobGet(Vips.ValueGetBoxed(&value), out nuint length);
        var bytes = new ReadOnlySpan<byte>(data, checked((int)length)).ToArray();
        Vips.ValueUnset(&value);
        return bytes;
    }

    public void Dispose()
    {
        if (_operation != 0)
        {
            Vips.ObjectUnrefOutputs(_operation);
            Vips.Unref(_operation);
            _operation = 0;
        }
    }

    private ImageException Failed()
    {
        Dispose();
        return new ImageException(VipsRuntime.TakeError());
    }
}
