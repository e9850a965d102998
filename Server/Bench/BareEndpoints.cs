using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Recsys.Server.Bench;

/// <summary>What our gRPC server is measured beside: endpoints that do as little as Kestrel allows, and know nothing of gRPC.</summary>
internal static class BareEndpoints
{
    public const int PrefixSize = 5;

    /// <summary>Reads the request to its end, unseen, and answers these bytes.</summary>
    public static RequestDelegate SameBytes(byte[] answer) => async http =>
    {
        while (true)
        {
            ReadResult read = await http.Request.BodyReader.ReadAsync();
            http.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) break;
        }
        http.Response.ContentType = "application/grpc";
        answer.CopyTo(http.Response.BodyWriter.GetMemory(answer.Length));
        http.Response.BodyWriter.Advance(answer.Length);
        http.Response.AppendTrailer("grpc-status", "0");
    };

    /// <summary>The same with a request that is parsed where it lies and an answer that is written into the response's buffer.</summary>
    public static RequestDelegate SameMessages<TRequest>(MessageParser<TRequest> parser, IMessage answer)
        where TRequest : IMessage<TRequest> => async http =>
    {
        while (true)
        {
            ReadResult read = await http.Request.BodyReader.ReadAsync();
            if (read.IsCompleted)
            {
                parser.ParseFrom(read.Buffer.Slice(PrefixSize));
                http.Request.BodyReader.AdvanceTo(read.Buffer.End);
                break;
            }
            http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
        http.Response.ContentType = "application/grpc";
        http.Response.BodyWriter.Advance(Write(answer, http.Response.BodyWriter.GetMemory(PrefixSize + answer.CalculateSize()).Span));
        http.Response.AppendTrailer("grpc-status", "0");
    };

    /// <summary>A message with its prefix.</summary>
    public static byte[] Frame(IMessage message)
    {
        var frame = new byte[PrefixSize + message.CalculateSize()];
        Write(message, frame);
        return frame;
    }

    private static int Write(IMessage message, Span<byte> frame)
    {
        int size = message.CalculateSize();
        frame[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(frame[1..], size);
        message.WriteTo(frame.Slice(PrefixSize, size));
        return PrefixSize + size;
    }
}
