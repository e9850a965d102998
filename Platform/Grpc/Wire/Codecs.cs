using System.Buffers;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>The compression algorithms that one side speaks.</summary>
internal sealed class Codecs
{
    private readonly ICompressionProvider[] _providers;

    public Codecs(IEnumerable<ICompressionProvider>? custom)
    {
        ICompressionProvider[] builtIn = [new GzipCompressionProvider(), new DeflateCompressionProvider()];
        _providers = [.. (custom ?? []).Concat(builtIn).DistinctBy(provider => provider.EncodingName)];
        AcceptEncoding = string.Join(',', _providers.Select(provider => provider.EncodingName).Prepend(Headers.Identity));
    }

    /// <summary>Value of grpc-accept-encoding.</summary>
    public string AcceptEncoding { get; }

    /// <summary>The provider of an encoding, or null.</summary>
    public ICompressionProvider? Find(string? encoding)
    {
        foreach (ICompressionProvider provider in _providers)
        {
            if (string.Equals(provider.EncodingName, encoding, StringComparison.OrdinalIgnoreCase)) return provider;
        }
        return null;
    }

    public static void Compress(ICompressionProvider provider, CompressionLevel? level, ReadOnlySpan<byte> payload, PooledBuffer output)
    {
        using Stream compressor = provider.CreateCompressionStream(new BufferStream(output), level);
        compressor.Write(payload);
    }

    /// <summary>Decompresses one message, and stops at the limit, so that a small message cannot fill the memory.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED above the limit, INTERNAL when the data is damaged.</exception>
    public static void Decompress(ICompressionProvider provider, ReadOnlySequence<byte> payload, int? limit, PooledBuffer output)
    {
        try
        {
            using Stream decompressor = provider.CreateDecompressionStream(new SequenceStream(payload));
            while (true)
            {
                int read = decompressor.Read(output.GetSpan(4096));
                if (read == 0) return;
                output.Advance(read);
                if (output.Length > limit)
                {
                    throw new RpcException(new Status(StatusCode.ResourceExhausted,
                        $"Received message is larger than the limit of {limit} bytes once decompressed."));
                }
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Received message is not valid {provider.EncodingName}.", exception));
        }
    }
}
