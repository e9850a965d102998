using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// <summary>
/// When a failed call is tried again (gRFC A6). An attempt is final once its response headers have arrived. The n-th retry waits for
/// InitialBackoff × BackoffMultiplier^(n-1), at most MaxBackoff, give or take a fifth; a server may set the time with "grpc-retry-pushback-ms".
/// </summary>
public sealed class RetryPolicy
{
    /// <summary>The first attempt included; at least 2. More than the channel's MaxRetryAttempts has no effect.</summary>
    public int? MaxAttempts { get; set; }

    public TimeSpan? InitialBackoff { get; set; }

    public TimeSpan? MaxBackoff { get; set; }

    public double? BackoffMultiplier { get; set; }

    /// <summary>At least one.</summary>
    public IList<StatusCode> RetryableStatusCodes { get; } = [];
}

/// <summary>
/// The budget of a channel: each failed attempt costs a token, each successful call earns TokenRatio of one. While no more than half of
/// MaxTokens are left, nothing is tried again.
/// </summary>
public sealed class RetryThrottlingPolicy
{
    /// <summary>1 to 1000.</summary>
    public int? MaxTokens { get; set; }

    /// <summary>Above 0; three decimals count.</summary>
    public double? TokenRatio { get; set; }
}
