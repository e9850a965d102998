using System.Diagnostics;

namespace Recsys.Bench;

/// <summary>What this machine can do at most: the floors of what is measured.</summary>
internal static class Machinery
{
    /// <summary>Floating-point operations a second of one large product.</summary>
    public static double ProductRate(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (randn(4096, 1024).to(type), randn(1024, 1024).to(type));
        return Best(() => matmul(a, b).Dispose(), 2.0 * 4096 * 1024 * 1024);
    }

    /// <summary>Bytes a second, read and written, of adding a number to a tensor far larger than the caches.</summary>
    public static double CopyRate()
    {
        using var scope = NewDisposeScope();
        var a = ones(1 << 26);
        return Best(() => a.add_(1), 2.0 * 4 * (1 << 26));
    }

    private static double Best(Action work, double amount)
    {
        double best = 0;
        for (int i = 0; i < 8; i++)
        {
            long started = Stopwatch.GetTimestamp();
            work();
            best = Math.Max(best, amount / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }
}
