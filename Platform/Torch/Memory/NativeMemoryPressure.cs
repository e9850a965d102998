namespace Recsys.Torch;

/// <summary>
/// Tells the garbage collector about native bytes. GC.AddMemoryPressure collects every few megabytes whether or not anything is
/// unreachable, which slows a training loop that disposes properly; here a collection is asked for only when the undisposed bytes
/// have doubled since the last one, so well-scoped code never pays and forgetful code keeps at most about twice what it uses.
/// </summary>
internal static class NativeMemoryPressure
{
    private const long Floor = 512L << 20;
    private static long _bytes;
    private static long _threshold = Floor;

    internal static long Bytes => Interlocked.Read(ref _bytes);

    internal static void Add(long bytes)
    {
        var now = Interlocked.Add(ref _bytes, bytes);
        var threshold = Interlocked.Read(ref _threshold);
        if (now > threshold && Interlocked.CompareExchange(ref _threshold, now * 2, threshold) == threshold)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true); // finalizers then free on their own thread
        }
    }

    internal static void Remove(long bytes)
    {
        var now = Interlocked.Add(ref _bytes, -bytes);
        var threshold = Interlocked.Read(ref _threshold);
        if (threshold > Floor && now < threshold / 4)
        {
            Interlocked.CompareExchange(ref _threshold, Math.Max(Floor, now * 2), threshold);
        }
    }
}
