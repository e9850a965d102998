using Grpc.Core;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Client.Retry;
using Grpc.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grpc.Net.Client;

/// <summary>HTTP/2 connections to one server or several alike, made on demand and shared by all calls. Safe for use by many threads.</summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly CallConfig? _config;
    private readonly Lock _gate = new();
    private ClientCall? _calls; // those that go on, linked through themselves
    private bool _disposed;

    private GrpcChannel(Uri address, GrpcChannelOptions options) : base(IsHttp(address) ? address.Authority : address.AbsolutePath.TrimStart('/'))
    {
        Options = options;
        Codecs = new Codecs(options.CompressionProviders);
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Grpc.Net.Client");
        bool secure = IsHttp(address)
            ? address.Scheme == Uri.UriSchemeHttps
            : options.Credentials?.IsSecure ?? throw new InvalidOperationException($"Address '{address}' does not say whether to use TLS: set Credentials.");
        if (options.Credentials is { } credentials && credentials.IsSecure != secure)
        {
            throw new InvalidOperationException(
                $"Credentials are {(credentials.IsSecure ? "for TLS" : "for plain text")}, but the address is '{address}': use {(credentials.IsSecure ? "https" : "http")}.");
        }
        SendsCallCredentials = secure || options.UnsafeUseInsecureChannelCallCredentials;
        ServiceUrl = IsHttp(address) ? address : new Uri($"{(secure ? Uri.UriSchemeHttps : Uri.UriSchemeHttp)}://{(Target.Length > 0 ? Target : address.Scheme)}");
        if (options.ServiceConfig is { } config)
        {
            _config = new CallConfig(config);
            Throttle = config.RetryThrottling is { } throttling ? new RetryThrottle(throttling) : null;
        }
        RetryBuffer = new RetryBuffer(options.MaxRetryBufferSize, options.MaxRetryBufferPerCallSize);
        Transport = TransportFactory.Create(address, options, secure);
    }

    internal GrpcChannelOptions Options { get; }

    internal Codecs Codecs { get; }

    internal ILogger Logger { get; }

    internal bool SendsCallCredentials { get; }

    /// <summary>What call credentials are told they are for.</summary>
    internal Uri ServiceUrl { get; }

    internal CallTransport Transport { get; }

    internal RetryThrottle? Throttle { get; }

    internal RetryBuffer RetryBuffer { get; }

    internal MethodConfig? ConfigOf(IMethod method) => _config?.Of(method);

    /// <summary>For one call of a method with a retry policy; else null.</summary>
    internal RetrySchedule? NewSchedule(IMethod method) =>
        ConfigOf(method)?.RetryPolicy is { } policy ? new RetrySchedule(policy, Options.MaxRetryAttempts, Throttle, Random.Shared) : null;

    /// <summary>Of a channel with load balancing.</summary>
    /// <exception cref="InvalidOperationException">Without load balancing the handler connects by itself, unseen.</exception>
    public ConnectivityState State => Balanced.State;

    /// <summary>Connects ahead of the first call; ends when there is a connection.</summary>
    /// <exception cref="InvalidOperationException">Without load balancing the handler connects by itself, unseen.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default) => Balanced.ConnectAsync(cancellationToken);

    /// <summary>Ends when the state is another one.</summary>
    /// <exception cref="InvalidOperationException">Without load balancing the handler connects by itself, unseen.</exception>
    public Task WaitForStateChangedAsync(ConnectivityState lastObservedState, CancellationToken cancellationToken = default) =>
        Balanced.WaitForStateChangedAsync(lastObservedState, cancellationToken);

    private BalancedTransport Balanced => Transport as BalancedTransport
        ?? throw new InvalidOperationException("The channel does not see its connections: set a load balancing policy in its ServiceConfig.");

    internal static bool IsHttp(Uri address) => address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps;

    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) => ForAddress(new Uri(address), channelOptions);

    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <param name="address">"http://host:port" for HTTP/2 in plain text, "https://host:port" for TLS; "dns:///host:port" for all addresses of a
    /// name, "static:///" and others for those that a resolver in the options' ServiceProvider finds.</param>
    /// <param name="channelOptions">Limits, handler, credentials.</param>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri) throw new ArgumentException($"Address '{address}' must begin with http://, https:// or the scheme of a resolver.", nameof(address));
        if (channelOptions is { HttpClient: not null, HttpHandler: not null })
        {
            throw new ArgumentException("HttpClient and HttpHandler are both set: a channel sends through one of them.", nameof(channelOptions));
        }
        return new GrpcChannel(address, channelOptions);
    }

    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new HttpCallInvoker(this);
    }

    /// <summary>Cancels the calls that go on.</summary>
    public void Dispose()
    {
        List<ClientCall> calls = [];
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            for (ClientCall? call = _calls; call is not null; call = call.Next) calls.Add(call);
        }
        foreach (ClientCall call in calls) call.Dispose();
        Transport.Dispose();
    }

    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    internal void Add(ClientCall call)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            call.Next = _calls;
            if (_calls is not null) _calls.Previous = call;
            _calls = call;
        }
    }

    /// <summary>Once for each call that was added.</summary>
    internal void Remove(ClientCall call)
    {
        lock (_gate)
        {
            if (call.Previous is null) _calls = call.Next;
            else call.Previous.Next = call.Next;
            if (call.Next is not null) call.Next.Previous = call.Previous;
            call.Next = call.Previous = null;
        }
    }
}
