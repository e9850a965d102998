using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>
/// Writes messages with their 5-byte prefix (compressed flag, big-endian length) into a buffer writer. A message whose length is known and
/// that is not compressed goes straight into it: a short one into one block, which is taken and given back once, because the locks of a
/// response's pipe cost more than a short message; a long one piece by piece. Any other passes through a pooled buffer. One message at a time.
/// </summary>
internal sealed class MessageFramer : SerializationContext, IBufferWriter<byte>
{
    public const int PrefixSize = 5;

    /// <summary>With its prefix. What a pipe's own blocks hold.</summary>
    private const int BlockSize = 4096;

    [ThreadStatic]
    private static MessageFramer? s_idle;

    private PooledBuffer? _buffer;
    private Memory<byte> _block;
    private IBufferWriter<byte> _output = null!;
    private ICompressionProvider? _compression;
    private CompressionLevel? _level;
    private int? _limit;
    private int? _length;
    private int _written;
    private Way _way;
    private bool _completed;

    /// <summary>Where the bytes of the message go.</summary>
    private enum Way
    {
        Buffer,
        Block,
        Pieces,
    }

    /// <summary>True when a message failed after part of it had gone out: the stream is of no more use.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>One for a single message: no call keeps a framer of its own that writes only once.</summary>
    public static MessageFramer Rent()
    {
        MessageFramer framer = s_idle ?? new MessageFramer();
        s_idle = null;
        return framer;
    }

    public static void Return(MessageFramer framer) => s_idle = framer;

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED above the limit, INTERNAL when the marshaller fails.</exception>
    public void Write<T>(Action<T, SerializationContext> serializer, T message, IBufferWriter<byte> output,
        ICompressionProvider? compression, CompressionLevel? level, int? limit)
    {
        (_output, _compression, _level, _limit) = (output, compression, level, limit);
        (_length, _written, _way, _completed) = (null, 0, Way.Buffer, false);
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
            IsBroken = _way == Way.Pieces && (_written != _length || !_completed);
            _buffer?.Dispose();
            (_output, _block) = (null!, default);
        }
    }

    public override void SetPayloadLength(int payloadLength) => _length = _way == Way.Buffer
        ? payloadLength
        : throw new InvalidOperationException("The message's length comes before its first byte.");

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_way != Way.Buffer) return this;
        if (_compression is not null || _length is not { } length) return _buffer ??= new PooledBuffer();
        CheckLimit(length);
        if (length <= BlockSize - PrefixSize)
        {
            _block = _output.GetMemory(PrefixSize + length);
            SetPrefix(_block.Span, compressed: false, length);
            _way = Way.Block;
        }
        else
        {
            WritePrefix(compressed: false, length);
            _way = Way.Pieces;
        }
        return this;
    }

    public override void Complete()
    {
        if (_way == Way.Buffer)
        {
            Complete(_buffer is null ? [] : _buffer.WrittenSpan);
            return;
        }
        if (_completed) throw new InvalidOperationException("The message is complete already.");
        if (_written != _length)
        {
            throw new InvalidOperationException($"The marshaller announced {_length} bytes and wrote {_written}.");
        }
        if (_way == Way.Block) _output.Advance(PrefixSize + _written);
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
        SetPrefix(_output.GetSpan(PrefixSize), compressed, length);
        _output.Advance(PrefixSize);
    }

    private static void SetPrefix(Span<byte> prefix, bool compressed, int length)
    {
        prefix[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)length);
    }

    void IBufferWriter<byte>.Advance(int count)
    {
        if (_way == Way.Block) ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_block.Length - PrefixSize - _written));
        else _output.Advance(count);
        _written += count;
    }

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        if (_way != Way.Block) return _output.GetMemory(sizeHint);
        Memory<byte> rest = _block[(PrefixSize + _written)..];
        if (rest.Length >= Math.Max(sizeHint, 1)) return rest;
        LeaveBlock();
        return _output.GetMemory(sizeHint);
    }

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint)
    {
        if (_way != Way.Block) return _output.GetSpan(sizeHint);
        Span<byte> rest = _block.Span[(PrefixSize + _written)..];
        if (rest.Length >= Math.Max(sizeHint, 1)) return rest;
        LeaveBlock();
        return _output.GetSpan(sizeHint);
    }

    /// <summary>The marshaller wants more room than it announced: what it has written goes out, and it writes on piece by piece.</summary>
    private void LeaveBlock()
    {
        _output.Advance(PrefixSize + _written);
        (_block, _way) = (default, Way.Pieces);
    }
}
