namespace Recsys.Jobs;

/// <summary>What a figure was measured on.</summary>
public static class Machine
{
    /// <summary>Processor and number of cores.</summary>
    public static string Description { get; } = Describe();

    private static string Describe()
    {
        string model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(
                line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[^1].Trim()
                ?? "unknown processor"
            : "unknown processor";
        return $"{model}, {Environment.ProcessorCount} cores";
    }
}
