using System.Buffers;
using System.IO.Pipelines;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>Gives a body piece by piece, in segments cut anywhere, as a network would.</summary>
internal sealed class PiecewiseReader(byte[] body, Random random) : PipeReader
{
    private int _consumed, _revealed;
    private bool _needsMore = true;

    public override bool TryRead(out ReadResult result)
    {
        if (_needsMore) _revealed = Math.Min(body.Length, _revealed + 1 + random.Next(random.Next(2) == 0 ? 8 : 1000));
        result = new ReadResult(Segments(), isCanceled: false, isCompleted: _revealed == body.Length);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        TryRead(out ReadResult result);
        return new(result);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ReadOnlySequence<byte> given = _last;
        int examinedCount = (int)given.Slice(0, examined).Length;
        _consumed += (int)given.Slice(0, consumed).Length;
        _needsMore = examinedCount == given.Length;
    }

    public override void CancelPendingRead() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null)
    {
    }

    private ReadOnlySequence<byte> _last;

    private ReadOnlySequence<byte> Segments()
    {
        int length = _revealed - _consumed;
        int cut = random.Next(3) == 0 && length > 1 ? random.Next(1, length) : 0;
        if (cut == 0) return _last = new ReadOnlySequence<byte>(body, _consumed, length);
        var first = new Segment(body.AsMemory(_consumed, cut), null);
        var second = new Segment(body.AsMemory(_consumed + cut, length - cut), first);
        return _last = new ReadOnlySequence<byte>(first, 0, second, length - cut);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
