using System.Diagnostics.Metrics;

namespace Recsys.Faiss;

/// <summary>What all indexes of the process hold. Also metrics of the meter <c>Recsys.Faiss</c>.</summary>
public static class FaissMemory
{
    private static readonly Meter Meter = new("Recsys.Faiss");
    private static long _indexes;
    private static long _bytes;

    static FaissMemory()
    {
        Meter.CreateObservableUpDownCounter("faiss.index.live", () => LiveIndexes, "{index}", "Indexes not yet disposed");
        Meter.CreateObservableUpDownCounter("faiss.index.memory", () => Bytes, "By", "Native bytes held by indexes");
    }

    /// <summary>Indexes that are neither disposed nor collected.</summary>
    public static long LiveIndexes => Interlocked.Read(ref _indexes);

    /// <summary>Native bytes of all live indexes: vectors, codes, graphs, tables, with what their containers keep in reserve.</summary>
    public static long Bytes => Interlocked.Read(ref _bytes);

    internal static void Opened() => Interlocked.Increment(ref _indexes);

    internal static void Closed() => Interlocked.Decrement(ref _indexes);

    // The garbage collector hears of native bytes a megabyte and more at a time, so that small indexes do not make it run.
    internal static void Changed(long by)
    {
        Interlocked.Add(ref _bytes, by);
        if (by >= 1 << 20)
        {
            GC.AddMemoryPressure(by);
        }
        else if (by <= -(1 << 20))
        {
            GC.RemoveMemoryPressure(-by);
        }
    }
}
