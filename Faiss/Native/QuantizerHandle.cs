using System.Runtime.InteropServices;

namespace Recsys.Faiss.Native;

/// <summary>Owns one native quantizer; released once, also when the owner forgets it, and never while a call uses it.</summary>
internal sealed class QuantizerHandle : SafeHandle
{
    private static int _live;

    public QuantizerHandle(nint value)
        : base(0, ownsHandle: true)
    {
        SetHandle(value);
        Interlocked.Increment(ref _live);
    }

    /// <summary>Handles in this process that were not released yet.</summary>
    public static int Live => Volatile.Read(ref _live);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.rf_rq_free(handle);
        Interlocked.Decrement(ref _live);
        return true;
    }
}
