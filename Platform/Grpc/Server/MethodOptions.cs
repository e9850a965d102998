using System.IO.Compression;
using Grpc.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>What the options come to for one service: its own where it has them, else those of all.</summary>
internal sealed class MethodOptions
{
    public MethodOptions(GrpcServiceOptions all, GrpcServiceOptions service)
    {
        MaxReceiveMessageSize = service.IsMaxReceiveMessageSizeSet ? service.MaxReceiveMessageSize : all.MaxReceiveMessageSize;
        MaxSendMessageSize = service.IsMaxSendMessageSizeSet ? service.MaxSendMessageSize : all.MaxSendMessageSize;
        EnableDetailedErrors = service.EnableDetailedErrors ?? all.EnableDetailedErrors ?? false;
        ResponseCompressionAlgorithm = service.ResponseCompressionAlgorithm ?? all.ResponseCompressionAlgorithm;
        ResponseCompressionLevel = service.ResponseCompressionLevel ?? all.ResponseCompressionLevel;
        Codecs = new Codecs(service.CompressionProviders.Concat(all.CompressionProviders));
        IgnoreUnknownServices = service.IgnoreUnknownServices ?? all.IgnoreUnknownServices ?? false;
        Interceptors = [.. all.Interceptors, .. service.Interceptors];
        if (ResponseCompressionAlgorithm is { } algorithm && algorithm != Headers.Identity && Codecs.Find(algorithm) is null)
        {
            throw new InvalidOperationException(
                $"ResponseCompressionAlgorithm is '{algorithm}'; known are {Codecs.AcceptEncoding}. Add its provider to CompressionProviders.");
        }
    }

    public int? MaxReceiveMessageSize { get; }

    public int? MaxSendMessageSize { get; }

    public bool EnableDetailedErrors { get; }

    public string? ResponseCompressionAlgorithm { get; }

    public CompressionLevel? ResponseCompressionLevel { get; }

    public bool IgnoreUnknownServices { get; }

    public Codecs Codecs { get; }

    public InterceptorRegistration[] Interceptors { get; }
}
