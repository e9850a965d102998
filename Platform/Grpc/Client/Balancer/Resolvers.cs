using System.Net;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>Scheme "static": addresses that are known when the channel is made.</summary>
public sealed class StaticResolverFactory(Func<Uri, IEnumerable<BalancerAddress>> addressesCallback) : ResolverFactory
{
    public override string Name => "static";

    public override Resolver Create(ResolverOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new StaticResolver([.. addressesCallback(options.Address)]);
    }
}

internal sealed class StaticResolver(IReadOnlyList<BalancerAddress> addresses) : Resolver
{
    public override void Start(Action<ResolverResult> listener) => listener(ResolverResult.ForResult(addresses));
}

/// <summary>Scheme "dns", as in "dns:///host:port": all addresses of a name, asked for again when one fails and after each interval.</summary>
public sealed class DnsResolverFactory(TimeSpan refreshInterval) : ResolverFactory
{
    public override string Name => "dns";

    public override Resolver Create(ResolverOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var authority = new Uri($"dns://{options.Address.AbsolutePath.TrimStart('/')}");
        if (authority.Host.Length == 0) throw new InvalidOperationException($"Address '{options.Address}' names no host: write dns:///host:port.");
        return new DnsResolver(authority.Host, authority.Port > 0 ? authority.Port : options.DefaultPort, refreshInterval);
    }
}

internal sealed class DnsResolver(string host, int port, TimeSpan refreshInterval) : Resolver
{
    // A server that fails every call must not make a storm of DNS queries.
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _asked = new(0, 1);

    public override void Start(Action<ResolverResult> listener) => _ = RunAsync(listener);

    public override void Refresh()
    {
        lock (_asked)
        {
            if (_asked.CurrentCount == 0) _asked.Release();
        }
    }

    private async Task RunAsync(Action<ResolverResult> listener)
    {
        try
        {
            while (true)
            {
                listener(await ResolveAsync().ConfigureAwait(false));
                await Task.Delay(ShortestInterval, _stop.Token).ConfigureAwait(false);
                await _asked.WaitAsync(refreshInterval > TimeSpan.Zero ? refreshInterval : Timeout.InfiniteTimeSpan, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The channel is disposed.
        }
    }

    private async Task<ResolverResult> ResolveAsync()
    {
        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(host, _stop.Token).ConfigureAwait(false);
            return ResolverResult.ForResult([.. found.Select(address => new BalancerAddress(address.ToString(), port))]);
        }
        catch (System.Net.Sockets.SocketException exception)
        {
            return ResolverResult.ForFailure(new Status(StatusCode.Unavailable, $"DNS has no address of '{host}': {exception.Message}", exception));
        }
    }

    protected override void Dispose(bool disposing)
    {
        _stop.Cancel();
        base.Dispose(disposing);
    }
}
