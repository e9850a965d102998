using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// A file's bytes as tensors' storage: private, so that a write to a tensor copies its page and leaves the file alone. Every tensor keeps
/// the mapping, so this object may be disposed before them.
/// </summary>
internal sealed unsafe class FileMapping : SafeHandle
{
    private FileMapping(nint mapping)
        : base(0, ownsHandle: true) => SetHandle(mapping);

    public override bool IsInvalid => handle == 0;

    /// <summary>Maps the first <paramref name="length"/> bytes of an open file, which may be closed afterwards.</summary>
    /// <exception cref="TorchException">No regular file, or shorter than that.</exception>
    internal static FileMapping? Open(SafeFileHandle file, long length)
    {
        bool held = false;
        try
        {
            file.DangerousAddRef(ref held);
            void* mapping;
            Check.Ok(rs_mapping_new((int)file.DangerousGetHandle(), length, &mapping), "map a file");
            return new FileMapping((nint)mapping);
        }
        finally
        {
            if (held)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>A contiguous tensor over the bytes from <paramref name="offset"/> on, a multiple of its element's size.</summary>
    internal Tensor View(long offset, long[] shape, ScalarType dtype)
    {
        bool held = false;
        try
        {
            DangerousAddRef(ref held);
            fixed (long* sizes = shape)
            {
                Out result;
                Check.Ok(rs_mapping_tensor((void*)handle, offset, sizes, shape.Length, (int)dtype, &result), "tensor of a mapped file");
                return Tensor.Own(result);
            }
        }
        finally
        {
            if (held)
            {
                DangerousRelease();
            }
        }
    }

    protected override bool ReleaseHandle()
    {
        rs_mapping_free((void*)handle);
        return true;
    }
}
