using System.Net;
using Grpc.Core;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.Net.Client;

/// <summary>Chooses how a channel reaches its address.</summary>
internal static class TransportFactory
{
    private static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(20);

    public static CallTransport Create(Uri address, GrpcChannelOptions options, bool secure)
    {
        bool ownsHandler = options.DisposeHttpClient || (options.HttpClient is null && options.HttpHandler is null);
        var backoff = new Backoff(options.InitialReconnectBackoff, options.MaxReconnectBackoff);
        bool isHttp = GrpcChannel.IsHttp(address);
        if (isHttp && options.ServiceConfig?.LoadBalancingConfigs.Count is null or 0)
        {
            HttpMessageInvoker invoker = options.HttpClient ?? new HttpMessageInvoker(options.HttpHandler ?? NewHandler(useProxy: secure), disposeHandler: ownsHandler);
            return new DirectTransport(invoker, address, ownsHandler, backoff);
        }
        SocketsHttpHandler handler = Handler(options);
        Resolver resolver = isHttp
            ? new StaticResolver([new BalancerAddress(address.IdnHost, address.Port)])
            : FindFactory(address, options).Create(new ResolverOptions(address, secure ? 443 : 80));
        // Addresses found for a name all serve that name; static ones are names themselves.
        string? hostHeader = address.Scheme == "dns" ? address.AbsolutePath.TrimStart('/') : null;
        return new BalancedTransport(resolver, handler, new BalancedOptions(
            secure ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, hostHeader, IsRoundRobin(options), ownsHandler, backoff,
            handler.ConnectTimeout == Timeout.InfiniteTimeSpan ? DefaultConnectTimeout : handler.ConnectTimeout));
    }

    private static ResolverFactory FindFactory(Uri address, GrpcChannelOptions options) =>
        options.ServiceProvider?.GetServices<ResolverFactory>().LastOrDefault(factory => factory.Name == address.Scheme)
        ?? (address.Scheme == "dns" ? new DnsResolverFactory(Timeout.InfiniteTimeSpan) : null)
        ?? throw new InvalidOperationException($"No ResolverFactory in the channel's ServiceProvider is named '{address.Scheme}', the scheme of address '{address}'.");

    private static bool IsRoundRobin(GrpcChannelOptions options)
    {
        IList<LoadBalancingConfig> configs = options.ServiceConfig?.LoadBalancingConfigs ?? [];
        if (configs.Count == 0) return false;
        string? known = configs.Select(config => config.PolicyName)
            .FirstOrDefault(name => name is LoadBalancingConfig.RoundRobinPolicyName or LoadBalancingConfig.PickFirstPolicyName);
        return (known ?? throw new InvalidOperationException(
            $"None of the load balancing policies is known: {string.Join(", ", configs.Select(config => config.PolicyName))}. Known are round_robin and pick_first.")) == LoadBalancingConfig.RoundRobinPolicyName;
    }

    private static SocketsHttpHandler Handler(GrpcChannelOptions options)
    {
        if (options.HttpClient is not null) throw new InvalidOperationException("Several addresses need a channel that connects by itself: set HttpHandler, not HttpClient.");
        if (options.HttpHandler is null) return NewHandler(useProxy: false);
        return options.HttpHandler is SocketsHttpHandler { ConnectCallback: null } handler
            ? handler
            : throw new InvalidOperationException("Several addresses need an HttpHandler that is a SocketsHttpHandler without a ConnectCallback: the channel connects by itself.");
    }

    /// <param name="useProxy">A proxy cannot carry HTTP/2 in plain text.</param>
    private static SocketsHttpHandler NewHandler(bool useProxy) => new()
    {
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = useProxy,
    };
}
