using Grpc.Core;
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

    /// <summary>Sends call credentials over plain text too. Only for networks that are private.</summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }
}
