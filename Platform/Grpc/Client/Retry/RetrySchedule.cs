using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Retry;

/// <summary>After which failures, and when, one call is tried again.</summary>
internal sealed class RetrySchedule(RetryPolicy policy, int? maxAttempts, RetryThrottle? throttle, Random random)
{
    private const string PushbackKey = "grpc-retry-pushback-ms";
    private const double Jitter = 0.2;

    private readonly int _maxAttempts = Math.Min(policy.MaxAttempts!.Value, maxAttempts ?? int.MaxValue);
    private TimeSpan _backoff = Smaller(policy.InitialBackoff!.Value, policy.MaxBackoff!.Value);

    /// <summary>Attempts that have failed.</summary>
    public int Failed { get; private set; }

    /// <summary>Counts a failed attempt; the time until the next one, or null when there is none.</summary>
    public TimeSpan? After(Status status, Metadata trailers)
    {
        Failed++;
        string? pushback = trailers.GetValue(PushbackKey);
        bool retryable = policy.RetryableStatusCodes.Contains(status.StatusCode);
        bool forbidden = pushback is not null && !int.TryParse(pushback, NumberStyles.None, CultureInfo.InvariantCulture, out _);
        if (retryable || forbidden) throttle?.RecordFailure();
        if (!retryable || forbidden || Failed >= _maxAttempts || throttle?.AllowsRetry == false) return null;
        if (pushback is not null)
        {
            _backoff = Smaller(policy.InitialBackoff!.Value, policy.MaxBackoff!.Value);
            return TimeSpan.FromMilliseconds(int.Parse(pushback, NumberStyles.None, CultureInfo.InvariantCulture));
        }
        TimeSpan delay = _backoff * (1 - Jitter + (2 * Jitter * random.NextDouble()));
        _backoff = TimeSpan.FromTicks((long)Math.Min(_backoff.Ticks * policy.BackoffMultiplier!.Value, policy.MaxBackoff!.Value.Ticks));
        return delay;
    }

    /// <summary>The final attempt failed after its headers had arrived.</summary>
    public void RecordEnd(Status status)
    {
        if (policy.RetryableStatusCodes.Contains(status.StatusCode)) throttle?.RecordFailure();
    }

    private static TimeSpan Smaller(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
