using System.Globalization;

namespace Recsys.Torch;

/// <summary>How ranks watch one another.</summary>
public sealed record LivenessOptions
{
    /// <summary>Between two signs of life.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// A rank that gives no sign of life for so long counts as lost (a stopped process, a machine without power). A process that ends is
    /// noticed at once, whatever stands here. Default 10 s, or RECSYS_HEARTBEAT_TIMEOUT seconds.
    /// </summary>
    public TimeSpan Silence { get; init; } = FromEnvironment();

    private static TimeSpan FromEnvironment()
    {
        string? text = Environment.GetEnvironmentVariable("RECSYS_HEARTBEAT_TIMEOUT");
        return string.IsNullOrEmpty(text) ? TimeSpan.FromSeconds(10)
            : double.TryParse(text, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.5 and <= 86_400 ? TimeSpan.FromSeconds(seconds)
            : throw new DistributedException(DistributedFault.Configuration, $"RECSYS_HEARTBEAT_TIMEOUT is '{text}', allowed are 0.5 to 86400 seconds.");
    }
}
