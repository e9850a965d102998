using System.Collections.Concurrent;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Where a channel sends its calls.</summary>
internal abstract class CallTransport : IDisposable
{
    /// <summary>The connection for the next call.</summary>
    /// <exception cref="RpcException">UNAVAILABLE when there is none and the call does not wait for one.</exception>
    public abstract ValueTask<PickedAddress> PickAsync(bool waitForReady, CancellationToken cancellationToken);

    /// <summary>After a call could not be sent because its connection failed: whether to pick again, and not before which pause.</summary>
    /// <param name="picked">Where to it was to go.</param>
    /// <param name="failure">Of the connection.</param>
    /// <param name="failures">How often this call has failed so, this time included.</param>
    /// <param name="waitForReady">True: the call goes on until there is a connection.</param>
    public abstract TimeSpan? AfterConnectFailure(PickedAddress picked, Exception failure, int failures, bool waitForReady);

    /// <summary>Where such a call goes whatever happens; null when it has to pick.</summary>
    public virtual PickedAddress? OnlyAddress(bool waitForReady) => null;

    public abstract void Dispose();
}

/// <summary>An address with the connection pool that leads there.</summary>
/// <param name="Invoker">Sends.</param>
/// <param name="Base">Scheme, host and port.</param>
/// <param name="HostHeader">Authority to name instead of the base's; null for the base's.</param>
internal sealed record PickedAddress(HttpMessageInvoker Invoker, Uri Base, string? HostHeader)
{
    private readonly ConcurrentDictionary<string, Uri> _methods = [];

    /// <summary>Kept, because making an URI costs more than all other headers of a request.</summary>
    public Uri UriOf(IMethod method) => _methods.TryGetValue(method.FullName, out Uri? uri) ? uri : _methods.GetOrAdd(method.FullName, new Uri(Base, method.FullName));
}

/// <summary>All calls through one handler to one address; the handler connects as it needs.</summary>
internal sealed class DirectTransport(HttpMessageInvoker invoker, Uri address, bool ownsInvoker, Backoff backoff) : CallTransport
{
    private readonly PickedAddress _picked = new(invoker, address, HostHeader: null);

    public override ValueTask<PickedAddress> PickAsync(bool waitForReady, CancellationToken cancellationToken) => new(_picked);

    public override TimeSpan? AfterConnectFailure(PickedAddress picked, Exception failure, int failures, bool waitForReady) =>
        waitForReady ? backoff.After(failures) : null;

    public override PickedAddress? OnlyAddress(bool waitForReady) => waitForReady ? null : _picked;

    public override void Dispose()
    {
        if (ownsInvoker) invoker.Dispose();
    }
}

/// <summary>Pauses between tries to connect: they grow by 1.6 from the initial to the longest one, give or take a fifth.</summary>
internal sealed record Backoff(TimeSpan Initial, TimeSpan? Longest)
{
    private const double Factor = 1.6, Jitter = 0.2;

    public TimeSpan After(int failures)
    {
        double seconds = Math.Min(Initial.TotalSeconds * Math.Pow(Factor, Math.Min(failures - 1, 60)), (Longest ?? TimeSpan.FromHours(1)).TotalSeconds);
        return TimeSpan.FromSeconds(seconds * (1 - Jitter + (2 * Jitter * Random.Shared.NextDouble())));
    }
}
