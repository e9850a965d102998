using System.Diagnostics;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>What this process holds: managed memory in bytes, handles (files and sockets), threads.</summary>
internal readonly record struct ProcessGauge(long Memory, int Handles, int Threads)
{
    /// <summary>After everything that is garbage has gone.</summary>
    public static ProcessGauge Read()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        using Process process = Process.GetCurrentProcess();
        return new ProcessGauge(GC.GetTotalMemory(forceFullCollection: true), process.HandleCount, process.Threads.Count);
    }

    /// <summary>Small steps up are caches and pools; what leaks grows with each of the many requests between the two readings.</summary>
    public static void AssertNoGrowth(ProcessGauge before, ProcessGauge after)
    {
        Assert.True(after.Memory - before.Memory < 8 << 20, $"memory grew from {before.Memory:N0} to {after.Memory:N0} bytes");
        Assert.True(after.Handles - before.Handles < 50, $"handles grew from {before.Handles} to {after.Handles}");
        Assert.True(after.Threads - before.Threads < 50, $"threads grew from {before.Threads} to {after.Threads}");
    }
}
