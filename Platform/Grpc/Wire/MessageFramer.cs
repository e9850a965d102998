using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>
/// Writes messages with their 5-byte prefix (compressed flag, big-endian length) into a buffer writer. A message whose length is known and
/// that is not compressed goes straight into it; any other passes through a pooled buffer. One message at a time.
/// </summary>
internal sealed class MessageFramer : SerializationContext, IBufferWriter<byte>
{
    public const int PrefixSize = 5;

    private PooledBuffer? _buffer;
    private IBufferWriter<byte> _output = null!;
    private ICompressionProvider? _compression;
    private CompressionLevel? _level;
    private int? _limit;
    private int? _length;
    private int _written;
    private bool _direct;
    private bool _completed;

    /// <summary>True when a message failed after part of it had gone out: the stream is of no more use.</summary>
    public bool IsBroken { get; private set; }

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED above the limit, INTERNAL when the marshaller fails.</exception>
    public void Write<T>(Action<T, SerializationContext> serializer, T message, IBufferWriter<byte> output,
        ICompressionProvider? compression, CompressionLevel? level, int? limit)
    {
        (_output, _compression, _level, _limit) = (output, compression, level, limit);
        (_length, _written, _direct, _completed) = (null, 0, false, false);
        try
        {
            serializer(message, this);
            if (!_completed) throw new InvalidOperationException("The marshaller did not complete the message.");
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Failed to serialize a message of type {typeof(T).Name}.", exception));
        }
        finally
        {
            IsBroken = _direct && (_written != _length || !_completed);
            _buffer?.Dispose();
        }
    }

    public override void SetPayloadLength(int payloadLength) => _length = payloadLength;

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_compression is not null || _length is null) return _buffer ??= new PooledBuffer();
        if (_direct) return this;
        CheckLimit(_length.Value);
        WritePrefix(compressed: false, _length.Value);
        _direct = true;
        return this;
    }

    public override void Complete()
    {
        if (!_direct)
        {
            Complete(_buffer is null ? [] : _buffer.WrittenSpan);
            return;
        }
        if (_written != _length)
        {
            throw new InvalidOperationException($"The marshaller announced {_length} bytes and wrote {_written}.");
        }
        _completed = true;
    }

    public override void Complete(byte[] payload) => Complete(payload.AsSpan());

    private void Complete(ReadOnlySpan<byte> payload)
    {
        if (_completed) throw new InvalidOperationException("The message is complete already.");
        CheckLimit(payload.Length);
        if (_compression is null)
        {
            WritePrefix(compressed: false, payload.Length);
            _output.Write(payload);
        }
        else
        {
            using var compressed = new PooledBuffer();
            Codecs.Compress(_compression, _level, payload, compressed);
            WritePrefix(compressed: true, compressed.Length);
            _output.Write(compressed.WrittenSpan);
        }
        _completed = true;
    }

    private void CheckLimit(int length)
    {
        if (length <= _limit.GetValueOrDefault(int.MaxValue)) return;
        throw new RpcException(new Status(StatusCode.ResourceExhausted,
            $"Sending message of {length} bytes exceeds the limit of {_limit} bytes (MaxSendMessageSize)."));
    }

    private void WritePrefix(bool compressed, int length)
    {
        Span<byte> prefix = _output.GetSpan(PrefixSize);
        prefix[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)length);
        _output.Advance(PrefixSize);
    }

    void IBufferWriter<byte>.Advance(int count)
    {
        _written += count;
        _output.Advance(count);
    }

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => _output.GetMemory(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => _output.GetSpan(sizeHint);
}
