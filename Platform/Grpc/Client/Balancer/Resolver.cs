using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>One place where a service is served.</summary>
/// <param name="host">Name or IP address.</param>
/// <param name="port">TCP port.</param>
public sealed class BalancerAddress(string host, int port)
{
    public System.Net.DnsEndPoint EndPoint { get; } = new(host, port);

    public override string ToString() => EndPoint.Host.Contains(':') && EndPoint.Host[0] != '[' ? $"[{EndPoint.Host}]:{EndPoint.Port}" : $"{EndPoint.Host}:{EndPoint.Port}";
}

/// <summary>What a resolver found: addresses, or why there are none.</summary>
public sealed class ResolverResult
{
    private ResolverResult(Status status, IReadOnlyList<BalancerAddress>? addresses) => (Status, Addresses) = (status, addresses);

    public Status Status { get; }

    /// <summary>Null after a failure.</summary>
    public IReadOnlyList<BalancerAddress>? Addresses { get; }

    public static ResolverResult ForResult(IReadOnlyList<BalancerAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        return new ResolverResult(Status.DefaultSuccess, addresses);
    }

    public static ResolverResult ForFailure(Status status) => status.StatusCode == StatusCode.OK
        ? throw new ArgumentException("A failure has a status other than OK.", nameof(status))
        : new ResolverResult(status, null);
}

/// <summary>Finds the addresses behind the name of a channel, and tells when they change.</summary>
public abstract class Resolver : IDisposable
{
    /// <summary>Begins; the listener is called with each result, the first one as soon as it is there.</summary>
    public abstract void Start(Action<ResolverResult> listener);

    /// <summary>Looks again: an address has failed.</summary>
    public virtual void Refresh()
    {
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>What a resolver is made from.</summary>
public sealed class ResolverOptions
{
    internal ResolverOptions(Uri address, int defaultPort) => (Address, DefaultPort) = (address, defaultPort);

    /// <summary>Of the channel.</summary>
    public Uri Address { get; }

    /// <summary>Where the address names none: 443 with TLS, else 80.</summary>
    public int DefaultPort { get; }
}

/// <summary>Makes the resolvers of channels whose address has this scheme. Register it in the channel's ServiceProvider.</summary>
public abstract class ResolverFactory
{
    /// <summary>The scheme.</summary>
    public abstract string Name { get; }

    public abstract Resolver Create(ResolverOptions options);
}
