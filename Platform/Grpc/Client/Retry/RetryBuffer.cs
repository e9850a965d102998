namespace Grpc.Net.Client.Retry;

/// <summary>Bytes that a channel's calls may keep for their retries.</summary>
internal sealed class RetryBuffer(long? perChannel, long? perCall)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes room for more bytes of a call that holds some already; false when there is none.</summary>
    public bool TryReserve(long held, long more)
    {
        if (held + more > perCall) return false;
        if (Interlocked.Add(ref _used, more) <= (perChannel ?? long.MaxValue)) return true;
        Release(more);
        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref _used, -bytes);
}
