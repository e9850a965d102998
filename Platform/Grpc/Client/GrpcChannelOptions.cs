using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Compression;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// <summary>How a channel reaches its server, and the limits of its calls.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>Null: plain text for http addresses, TLS for https.</summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>Largest message sent, in bytes, before compression; null, the default, for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Largest message received, in bytes, after decompression; null for no limit. 4 MiB by default.</summary>
    public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Encodings besides gzip and deflate.</summary>
    public IList<ICompressionProvider>? CompressionProviders { get; set; }

    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The client to send with; not together with <see cref="HttpHandler"/>. HTTP/2 is asked for with every request.</summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>The handler to send with, such as one whose ConnectCallback opens a unix socket.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Disposes the given handler or client with the channel.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>A cancelled call throws OperationCanceledException instead of RpcException.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>Retries, timeouts and load balancing; null for none of them.</summary>
    public ServiceConfig? ServiceConfig { get; set; }

    /// <summary>Most attempts of a call, whatever its retry policy says; null for no limit.</summary>
    public int? MaxRetryAttempts { get; set; } = 5;

    /// <summary>Bytes of requests that all calls together keep for their retries; null for no limit. A call that finds no room is not retried.</summary>
    public long? MaxRetryBufferSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>Bytes of requests that one call keeps for its retries; null for no limit.</summary>
    public long? MaxRetryBufferPerCallSize { get; set; } = 1024 * 1024;

    /// <summary>Pause after the first failure to connect; later ones grow by 1.6.</summary>
    public TimeSpan InitialReconnectBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause between tries to connect; null for no limit.</summary>
    public TimeSpan? MaxReconnectBackoff { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Holds the <see cref="Balancer.ResolverFactory"/> of the address's scheme.</summary>
    public IServiceProvider? ServiceProvider { get; set; }

    /// <summary>Sends call credentials over plain text too. Only for networks that are private.</summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }
}
