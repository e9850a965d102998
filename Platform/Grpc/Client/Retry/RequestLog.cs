using System.Net;

namespace Grpc.Net.Client.Retry;

/// <summary>
/// The framed messages of one call. Each attempt sends them from the first one on, and then those that follow. After the call is committed to
/// an attempt, what that one has sent is forgotten.
/// </summary>
internal sealed class RequestLog(RetryBuffer buffer)
{
    private readonly Lock _gate = new();
    private readonly List<byte[]> _messages = [];
    private TaskCompletionSource _changed = NewSignal();
    private TaskCompletionSource? _unsent;
    private long _forgotten, _held;
    private bool _completed, _committed;

    /// <summary>Adds a message. False when there was no room to keep it: the call has to be committed to the attempt that goes on.</summary>
    /// <param name="message">With its prefix.</param>
    /// <param name="sent">Ends when an attempt has sent the message.</param>
    public bool Append(byte[] message, out Task sent)
    {
        lock (_gate)
        {
            bool kept = _committed || buffer.TryReserve(_held, message.Length);
            if (kept && !_committed) _held += message.Length;
            _messages.Add(message);
            _unsent = NewSignal();
            sent = _unsent.Task;
            Signal();
            return kept;
        }
    }

    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Signal();
        }
    }

    /// <summary>From now on nothing is kept for another attempt.</summary>
    public void Commit()
    {
        lock (_gate)
        {
            _committed = true;
            buffer.Release(_held);
            _held = 0;
        }
    }

    /// <summary>A request body that sends the log, and ends with it or with its attempt.</summary>
    public HttpContent NewContent(Task attemptFinished) => new Content(this, attemptFinished);

    private async Task SendAsync(Stream stream, Task attemptFinished, CancellationToken cancellationToken)
    {
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        long next = 0;
        while (!attemptFinished.IsCompleted)
        {
            byte[]? message = null;
            Task changed;
            lock (_gate)
            {
                if (next < _forgotten) throw new IOException("The request cannot be sent again: the call was committed to an attempt before.");
                if (next - _forgotten < _messages.Count) message = _messages[(int)(next - _forgotten)];
                else if (_completed) return;
                changed = _changed.Task;
            }
            if (message is null)
            {
                await Task.WhenAny(changed, attemptFinished).WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }
            await stream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            next++;
            lock (_gate)
            {
                if (next - _forgotten == _messages.Count) _unsent?.TrySetResult();
                if (!_committed) continue;
                _messages.RemoveRange(0, (int)(next - _forgotten));
                _forgotten = next;
            }
        }
    }

    private void Signal()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Content(RequestLog log, Task attemptFinished) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            log.SendAsync(stream, attemptFinished, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
