using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>What the protocol says of a body, told in the plainest way from the whole array: the messages, and the status that ends them.</summary>
internal static class FramingOracle
{
    public static (List<EchoRequest> Messages, StatusCode End) Read(ReadOnlySpan<byte> body, string? encoding, int limit)
    {
        var messages = new List<EchoRequest>();
        while (body.Length > 0)
        {
            if (body.Length < 5 || body[0] > 1) return (messages, StatusCode.Internal);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(body[1..]);
            if (length > limit) return (messages, StatusCode.ResourceExhausted);
            if (body.Length - 5 < length) return (messages, StatusCode.Internal);
            byte[] payload = body.Slice(5, (int)length).ToArray();
            if (body[0] == 1)
            {
                if (string.IsNullOrEmpty(encoding) || encoding == "identity") return (messages, StatusCode.Internal);
                if (encoding is not ("gzip" or "deflate")) return (messages, StatusCode.Unimplemented);
                if (Unpack(payload, encoding, limit) is not { } unpacked) return (messages, StatusCode.Internal);
                if (unpacked.Length > limit) return (messages, StatusCode.ResourceExhausted);
                payload = unpacked;
            }
            try
            {
                messages.Add(EchoRequest.Parser.ParseFrom(payload));
            }
            catch (InvalidProtocolBufferException)
            {
                return (messages, StatusCode.Internal);
            }
            body = body[(5 + (int)length)..];
        }
        return (messages, StatusCode.OK);
    }

    /// <summary>Of a method with one request.</summary>
    public static (EchoRequest? Message, StatusCode End) ReadSingle(byte[] body, string? encoding, int limit)
    {
        (List<EchoRequest> messages, StatusCode end) = Read(body, encoding, limit);
        if (messages.Count == 1 && end == StatusCode.OK) return (messages[0], StatusCode.OK);
        // What follows the first message is not looked at, and without any there is nothing to answer.
        return (null, messages.Count > 0 || end == StatusCode.OK ? StatusCode.Internal : end);
    }

    private static byte[]? Unpack(byte[] packed, string encoding, int limit)
    {
        using var source = new MemoryStream(packed);
        using Stream unpacker = encoding == "gzip" ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
        var unpacked = new byte[limit + 1];
        try
        {
            return unpacked[..unpacker.ReadAtLeast(unpacked, unpacked.Length, throwOnEndOfStream: false)];
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
