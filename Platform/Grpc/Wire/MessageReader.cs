using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Reads messages with their 5-byte prefix from a pipe and deserializes each where it lies.</summary>
/// <param name="pipe">Where from; null where only <see cref="ReadWholeAsync"/> is used.</param>
/// <param name="codecs">Known encodings.</param>
/// <param name="limit">Of a message, in bytes.</param>
internal sealed class MessageReader(PipeReader? pipe, Codecs codecs, int? limit) : DeserializationContext
{
    private ReadOnlySequence<byte> _payload;

    /// <summary>Value of the sender's grpc-encoding.</summary>
    public string? Encoding { get; set; }

    /// <summary>Receives the next message; null at the end of the stream.</summary>
    /// <exception cref="RpcException">INTERNAL for damaged frames and payloads, RESOURCE_EXHAUSTED above the limit, UNIMPLEMENTED for an
    /// unknown encoding.</exception>
    public async ValueTask<T?> ReadAsync<T>(Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            ReadResult result = await pipe!.ReadAsync(cancellationToken).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (result.IsCanceled) throw new OperationCanceledException();
            if (TryReadFrame(buffer, out ReadOnlySequence<byte> payload, out bool compressed))
            {
                T message = Deserialize(deserializer, payload, compressed);
                pipe!.AdvanceTo(payload.End);
                return message;
            }
            if (result.IsCompleted)
            {
                long rest = buffer.Length;
                pipe!.AdvanceTo(buffer.End);
                return rest == 0 ? null : throw Error(StatusCode.Internal, $"Incomplete message: the stream ended after {rest} bytes of it.");
            }
            pipe!.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>Receives the only message of a stream.</summary>
    /// <exception cref="RpcException">INTERNAL when there is none or more than one.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T> ReadSingleAsync<T>(Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            if (!pipe!.TryRead(out ReadResult result)) result = await pipe!.ReadAsync(cancellationToken).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (result.IsCanceled) throw new OperationCanceledException();
            bool whole = TryReadFrame(buffer, out ReadOnlySequence<byte> payload, out bool compressed);
            if (whole && buffer.Length > MessageFramer.PrefixSize + payload.Length) throw Error(StatusCode.Internal, "Additional data after the message received.");
            if (!result.IsCompleted)
            {
                pipe!.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }
            if (!whole) throw Error(StatusCode.Internal, $"Incomplete message: the stream ended after {buffer.Length} bytes of it.");
            T message = Deserialize(deserializer, payload, compressed);
            pipe!.AdvanceTo(buffer.End);
            return message;
        }
    }

    /// <summary>Receives the only message of a body, to its end; null when it is empty. Answers are short and mostly there at once, so this
    /// goes without a pipe.</summary>
    /// <exception cref="RpcException">As <see cref="ReadAsync"/>; INTERNAL when there is more than one.</exception>
    public async ValueTask<T?> ReadWholeAsync<T>(Stream body, Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        using var bytes = new PooledBuffer();
        while (true)
        {
            int read = await body.ReadAsync(bytes.GetMemory(FirstRead), cancellationToken).ConfigureAwait(false);
            bytes.Advance(read);
            var all = new ReadOnlySequence<byte>(bytes.WrittenMemory);
            bool whole = TryReadFrame(all, out ReadOnlySequence<byte> payload, out bool compressed);
            if (whole && all.Length > MessageFramer.PrefixSize + payload.Length) throw Error(StatusCode.Internal, "More than one response message in a call that has one.");
            if (read > 0) continue;
            if (whole) return Deserialize(deserializer, payload, compressed);
            return bytes.Length == 0 ? null : throw Error(StatusCode.Internal, $"Incomplete message: the stream ended after {bytes.Length} bytes of it.");
        }
    }

    private const int FirstRead = 1024;

    private bool TryReadFrame(in ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> payload, out bool compressed)
    {
        payload = default;
        compressed = false;
        if (buffer.Length < MessageFramer.PrefixSize) return false;
        ReadOnlySpan<byte> prefix = buffer.FirstSpan;
        if (prefix.Length < MessageFramer.PrefixSize)
        {
            Span<byte> joined = stackalloc byte[MessageFramer.PrefixSize];
            buffer.Slice(0, MessageFramer.PrefixSize).CopyTo(joined);
            return TryReadFrame(buffer, joined, out payload, out compressed);
        }
        return TryReadFrame(buffer, prefix, out payload, out compressed);
    }

    private bool TryReadFrame(in ReadOnlySequence<byte> buffer, scoped ReadOnlySpan<byte> prefix, out ReadOnlySequence<byte> payload, out bool compressed)
    {
        payload = default;
        compressed = prefix[0] == 1;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] > 1) throw Error(StatusCode.Internal, $"Unexpected compressed flag {prefix[0]} in message header; it must be 0 or 1.");
        if (length > (uint)(limit ?? int.MaxValue))
        {
            throw Error(StatusCode.ResourceExhausted, $"Received message of {length} bytes exceeds the limit of {limit ?? int.MaxValue} bytes (MaxReceiveMessageSize).");
        }
        if (buffer.Length - MessageFramer.PrefixSize < length) return false;
        payload = buffer.Slice(MessageFramer.PrefixSize, length);
        return true;
    }

    private T Deserialize<T>(Func<DeserializationContext, T> deserializer, in ReadOnlySequence<byte> payload, bool compressed)
    {
        if (!compressed) return Deserialize(deserializer, payload);
        if (string.IsNullOrEmpty(Encoding) || Encoding == Headers.Identity)
        {
            throw Error(StatusCode.Internal, "Message is flagged as compressed, but grpc-encoding names no compression.");
        }
        using var decompressed = new PooledBuffer();
        Codecs.Decompress(codecs.Find(Encoding) ?? throw new UnknownEncodingException(Encoding, codecs.AcceptEncoding), payload, limit, decompressed);
        return Deserialize(deserializer, new ReadOnlySequence<byte>(decompressed.WrittenMemory));
    }

    private T Deserialize<T>(Func<DeserializationContext, T> deserializer, in ReadOnlySequence<byte> payload)
    {
        _payload = payload;
        try
        {
            return deserializer(this);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Failed to deserialize a message of type {typeof(T).Name}.", exception));
        }
        finally
        {
            _payload = default;
        }
    }

    public override int PayloadLength => (int)_payload.Length;

    public override byte[] PayloadAsNewBuffer() => _payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => _payload;

    private static RpcException Error(StatusCode code, string detail) => new(new Status(code, detail));
}

/// <summary>UNIMPLEMENTED: the peer compresses in a way we do not speak.</summary>
internal sealed class UnknownEncodingException(string encoding, string accepted)
    : RpcException(new Status(StatusCode.Unimplemented, $"Unsupported grpc-encoding '{encoding}'; supported: {accepted}."));
