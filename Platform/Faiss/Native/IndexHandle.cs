using System.Runtime.InteropServices;

namespace Recsys.Faiss.Native;

/// <summary>Owns one native index; released exactly once, also when the owner forgets it. Its bytes are counted while it lives.</summary>
internal sealed class IndexHandle : SafeHandle
{
    private long _bytes;

    public IndexHandle(nint index)
        : base(0, ownsHandle: true)
    {
        SetHandle(index);
        FaissMemory.Opened();
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Makes the counters say that the index holds this many bytes now.</summary>
    public void Count(long bytes) => FaissMemory.Changed(bytes - Interlocked.Exchange(ref _bytes, bytes));

    protected override bool ReleaseHandle()
    {
        NativeMethods.rs_faiss_index_delete(handle);
        Count(0);
        FaissMemory.Closed();
        return true;
    }
}
