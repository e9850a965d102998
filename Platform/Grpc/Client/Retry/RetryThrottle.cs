using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client.Retry;

/// <summary>The token bucket of gRFC A6, in thousandths of a token, shared by all calls of a channel.</summary>
internal sealed class RetryThrottle(RetryThrottlingPolicy policy)
{
    private readonly int _max = policy.MaxTokens!.Value * 1000;
    private readonly int _ratio = (int)(policy.TokenRatio!.Value * 1000);
    private int _tokens = policy.MaxTokens.Value * 1000;

    /// <summary>False while the channel has failed too often to add load.</summary>
    public bool AllowsRetry => Volatile.Read(ref _tokens) > _max / 2;

    public void RecordSuccess() => Add(_ratio);

    public void RecordFailure() => Add(-1000);

    private void Add(int change)
    {
        int tokens, changed;
        do
        {
            tokens = Volatile.Read(ref _tokens);
            changed = Math.Clamp(tokens + change, 0, _max);
        }
        while (changed != tokens && Interlocked.CompareExchange(ref _tokens, changed, tokens) != tokens);
    }
}
