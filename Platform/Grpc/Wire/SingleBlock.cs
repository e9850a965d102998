using System.Buffers;

namespace Grpc.Wire;

/// <summary>A buffer of one array, which has just the size of a message that tells its length. Unlike a pooled one it may be kept.</summary>
internal sealed class SingleBlock : IBufferWriter<byte>
{
    private const int SmallestGrowth = 8192;

    private byte[] _bytes = [];
    private int _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - _length));
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        int needed = Math.Max(sizeHint, 1);
        if (_bytes.Length - _length >= needed) return _bytes.AsMemory(_length);
        // A second piece means that the message is long and comes in pieces: from then on the array doubles.
        long wanted = _length == 0 ? needed : Math.Max((long)_length + needed, Math.Min(Math.Max(2L * _length, SmallestGrowth), Array.MaxLength));
        if (wanted > Array.MaxLength) throw new InvalidOperationException($"A message of {wanted} bytes does not fit into memory.");
        Array.Resize(ref _bytes, (int)wanted);
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
