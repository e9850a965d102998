using System.Runtime.InteropServices;

namespace Recsys.Faiss.Native;

/// <summary>Owns one native index or quantizer; released once, also when the owner forgets it, and never while a call uses it.</summary>
internal abstract class NativeHandle : SafeHandle
{
    private static int _live;

    protected NativeHandle(nint value)
        : base(0, ownsHandle: true)
    {
        SetHandle(value);
        Interlocked.Increment(ref _live);
    }

    /// <summary>Handles in this process that were not released yet.</summary>
    public static int Live => Volatile.Read(ref _live);

    public override bool IsInvalid => handle == 0;

    protected abstract void Free(nint value);

    protected override bool ReleaseHandle()
    {
        Free(handle);
        Interlocked.Decrement(ref _live);
        return true;
    }
}

internal sealed class IndexHandle(nint value) : NativeHandle(value)
{
    protected override void Free(nint value) => NativeMethods.rf_index_free(value);
}

internal sealed class QuantizerHandle(nint value) : NativeHandle(value)
{
    protected override void Free(nint value) => NativeMethods.rf_rq_free(value);
}
