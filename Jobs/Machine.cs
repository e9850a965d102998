namespace Recsys.Jobs;

/// <summary>What a figure was measured on.</summary>
public static class Machine
{
    /// <summary>Processor and number of cores.</summary>
    public static string Description { get; } = $"{Processor() ?? "unknown processor"}, {Environment.ProcessorCount} cores";

    private static string? Processor() => (File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo") : [])
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[^1].Trim();
}
