using System.Net;
using Grpc.Core;
using Grpc.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grpc.Net.Client;

/// <summary>HTTP/2 connections to one server, made on demand and shared by all calls. Safe for use by many threads.</summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly bool _ownsInvoker;
    private readonly HashSet<IDisposable> _calls = [];
    private bool _disposed;

    private GrpcChannel(Uri address, GrpcChannelOptions options) : base(address.Authority)
    {
        Address = address;
        Options = options;
        Codecs = new Codecs(options.CompressionProviders);
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Grpc.Net.Client");
        bool secure = address.Scheme == Uri.UriSchemeHttps;
        if (options.Credentials is { } credentials && credentials.IsSecure != secure)
        {
            throw new InvalidOperationException(
                $"Credentials are {(credentials.IsSecure ? "for TLS" : "for plain text")}, but the address is '{address}': use {(credentials.IsSecure ? "https" : "http")}.");
        }
        SendsCallCredentials = secure || options.UnsafeUseInsecureChannelCallCredentials;
        _ownsInvoker = options.DisposeHttpClient || (options.HttpClient is null && options.HttpHandler is null);
        Invoker = options.HttpClient ?? new HttpMessageInvoker(options.HttpHandler ?? CreateHandler(secure), disposeHandler: _ownsInvoker);
    }

    internal Uri Address { get; }

    internal GrpcChannelOptions Options { get; }

    internal Codecs Codecs { get; }

    internal ILogger Logger { get; }

    internal bool SendsCallCredentials { get; }

    internal HttpMessageInvoker Invoker { get; }

    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) => ForAddress(new Uri(address), channelOptions);

    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <param name="address">"http://host:port" for HTTP/2 in plain text, "https://host:port" for TLS.</param>
    /// <param name="channelOptions">Limits, handler, credentials.</param>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException($"Address '{address}' must begin with http:// or https://.", nameof(address));
        }
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
        IDisposable[] calls;
        lock (_calls)
        {
            if (_disposed) return;
            _disposed = true;
            calls = [.. _calls];
        }
        foreach (IDisposable call in calls) call.Dispose();
        if (_ownsInvoker) Invoker.Dispose();
    }

    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    internal void Add(IDisposable call)
    {
        lock (_calls)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _calls.Add(call);
        }
    }

    internal void Remove(IDisposable call)
    {
        lock (_calls) _calls.Remove(call);
    }

    private static SocketsHttpHandler CreateHandler(bool secure) => new()
    {
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        // A proxy cannot carry HTTP/2 in plain text.
        UseProxy = secure,
    };
}
