namespace Recsys.Torch.Native;

/// <summary>A native CUDA object, freed once: by Dispose or, where that was forgotten, by the finalizer.</summary>
public abstract class CudaHandle : IDisposable
{
    private nint _handle;

    private protected CudaHandle(nint handle) => _handle = handle;

    ~CudaHandle() => Free();

    internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(GetType().Name);

    public virtual void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private protected abstract void Free(nint handle);

    private void Free()
    {
        nint handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
        {
            Free(handle);
        }
    }
}
