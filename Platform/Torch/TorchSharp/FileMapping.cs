using Microsoft.Win32.SafeHandles;

namespace Recsys.Torch;

/// <summary>None: TorchSharp has no tensor over memory that is not its own, so files are read.</summary>
internal sealed class FileMapping : IDisposable
{
    internal static FileMapping? Open(SafeFileHandle file, long length)
    {
        _ = (file, length);
        return null;
    }

    internal Tensor View(long offset, long[] shape, ScalarType dtype) => throw new InvalidOperationException($"No file is mapped with TorchSharp behind the names ({dtype} at {offset}, {shape.Length} dimensions).");

    public void Dispose()
    {
    }
}
