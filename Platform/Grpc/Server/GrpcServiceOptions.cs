using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.AspNetCore.Server;

/// <summary>Options of all services, or with a type argument of one, which then override those of all.</summary>
public class GrpcServiceOptions
{
    internal const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    private int? _maxReceiveMessageSize = DefaultMaxReceiveMessageSize;
    private int? _maxSendMessageSize;

    /// <summary>Largest message received, in bytes, after decompression; null for no limit. 4 MiB by default.</summary>
    public int? MaxReceiveMessageSize
    {
        get => _maxReceiveMessageSize;
        set => (_maxReceiveMessageSize, IsMaxReceiveMessageSizeSet) = (CheckSize(value), true);
    }

    /// <summary>Largest message sent, in bytes, before compression; null, the default, for no limit.</summary>
    public int? MaxSendMessageSize
    {
        get => _maxSendMessageSize;
        set => (_maxSendMessageSize, IsMaxSendMessageSizeSet) = (CheckSize(value), true);
    }

    /// <summary>Sends the messages of unhandled exceptions to clients. Off by default: they may hold secrets.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>Encoding of responses, such as "gzip", where the client accepts it; null for none.</summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>Encodings besides gzip and deflate.</summary>
    public IList<ICompressionProvider> CompressionProviders { get; set; } = [];

    /// <summary>Run around every call, the first outermost.</summary>
    public InterceptorCollection Interceptors { get; } = [];

    /// <summary>Leaves calls of unknown services to other endpoints instead of answering UNIMPLEMENTED.</summary>
    public bool? IgnoreUnknownServices { get; set; }

    internal bool IsMaxReceiveMessageSizeSet { get; private set; }

    internal bool IsMaxSendMessageSizeSet { get; private set; }

    private static int? CheckSize(int? size) =>
        size is < 0 ? throw new ArgumentOutOfRangeException(nameof(size), size, "A message size is at least 0; null means no limit.") : size;
}

public class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class
{
}
