using Grpc.Core;

namespace Grpc.Net.Client.Retry;

/// <summary>
/// A call under a retry policy: attempts one after the other, until one is committed, whose answer is then the call's. An attempt is committed
/// when its response headers have come, when it is the last one, or when the requests are too large to be kept for another.
/// </summary>
internal sealed class RetryCall<TRequest, TResponse> : IReceivingCall<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly string? _host;
    private readonly CallOptions _options;
    private readonly RetrySchedule _schedule;
    private readonly CancellationTokenSource _cancellation;
    private readonly DateTime? _deadline;
    private ClientCall<TRequest, TResponse> _framing = null!; // frames a stream's messages, for all attempts alike
    private readonly TaskCompletionSource _overflow = NewSignal();
    private readonly TaskCompletionSource<ClientCall<TRequest, TResponse>> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RetryCall(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options, RetrySchedule schedule)
    {
        (_channel, _method, _host, _schedule) = (channel, method, host, schedule);
        _deadline = ClientCall.EarliestDeadline(options, channel.ConfigOf(method)?.Timeout);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(
            options.CancellationToken, options.PropagationToken?.ParentCancellationToken ?? CancellationToken.None);
        _options = _deadline is { } deadline ? options.WithDeadline(deadline) : options;
        _options = _options.WithCancellationToken(_cancellation.Token);
        Log = new RequestLog(channel.RetryBuffer);
    }

    public RequestLog Log { get; }

    public WriteOptions? WriteOptions => _options.WriteOptions;

    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>The attempt whose answer is the call's.</summary>
    public Task<ClientCall<TRequest, TResponse>> Committed => _committed.Task;

    public Task<Metadata> ResponseHeaders => ReadHeadersAsync();

    public Status GetStatus() => Ended().GetStatus();

    public Metadata GetTrailers() => Ended().GetTrailers();

    /// <summary>Sends the one request.</summary>
    public void Start(TRequest request)
    {
        ReadOnlyMemory<byte> bytes = default;
        Start(attempt => () =>
        {
            if (bytes.IsEmpty)
            {
                bytes = attempt.Frame(request, _options.WriteOptions);
                if (!_channel.RetryBuffer.TryReserve(0, bytes.Length)) _overflow.TrySetResult();
                else _ = Committed.ContinueWith(_ => _channel.RetryBuffer.Release(bytes.Length), TaskScheduler.Default);
            }
            return new ReadOnlyMemoryContent(bytes);
        });
    }

    /// <summary>Opens the stream of requests.</summary>
    public void StartStream() => Start(attempt => () => Log.NewContent(attempt.Finished));

    /// <summary>Sends one message of the stream; ends when an attempt has sent it, or the call has ended.</summary>
    public async Task WriteAsync(TRequest message, WriteOptions? writeOptions)
    {
        if (!Log.Append(_framing.Frame(message, writeOptions).ToArray(), out Task sent)) _overflow.TrySetResult();
        Task first = await Task.WhenAny(sent, Committed).ConfigureAwait(false);
        if (first != sent) await Task.WhenAny(sent, (await Committed.ConfigureAwait(false)).Finished).ConfigureAwait(false);
    }

    public async Task<TResponse> ReceiveSingleAsync() => await (await Committed.ConfigureAwait(false)).ReceiveSingleAsync().ConfigureAwait(false);

    public async ValueTask<TResponse?> ReceiveNextAsync() => await (await Committed.ConfigureAwait(false)).ReceiveNextAsync().ConfigureAwait(false);

    public void CancelByCaller() => _cancellation.Cancel();

    public void Dispose()
    {
        if (Committed.IsCompletedSuccessfully) Committed.Result.Dispose();
        _cancellation.Cancel();
    }

    private void Start(Func<ClientCall<TRequest, TResponse>, Func<HttpContent>> content)
    {
        // The first attempt is made here, so that wrong options fail at the caller's.
        var first = new ClientCall<TRequest, TResponse>(_channel, _method, _host, _options);
        _framing = first;
        _ = RunAsync(first, content);
    }

    private async Task RunAsync(ClientCall<TRequest, TResponse> attempt, Func<ClientCall<TRequest, TResponse>, Func<HttpContent>> content)
    {
        try
        {
            while (true)
            {
                attempt.Start(content(attempt));
                await Task.WhenAny(attempt.Answer, _overflow.Task).ConfigureAwait(false);
                if (!attempt.Answer.IsCompleted || await attempt.Answer.ConfigureAwait(false) is not null)
                {
                    Commit(attempt);
                    await attempt.Finished.ConfigureAwait(false);
                    _schedule.RecordEnd(attempt.GetStatus());
                    return;
                }
                bool saysSo = attempt.GetStatus().StatusCode is StatusCode.DeadlineExceeded or StatusCode.Cancelled;
                TimeSpan? pause = saysSo && HasEnded() ? null : _schedule.After(attempt.GetStatus(), attempt.GetTrailers());
                if (pause is null)
                {
                    Commit(attempt);
                    return;
                }
                ClientLog.CallRetried(_channel.Logger, _method.FullName, attempt.GetStatus().StatusCode, _schedule.Failed, pause.Value);
                await PauseAsync(pause.Value).ConfigureAwait(false);
                // After the deadline or a cancellation this one ends at once, with the status that says so.
                attempt = new ClientCall<TRequest, TResponse>(_channel, _method, _host, _options, _schedule.Failed);
            }
        }
        catch (Exception exception)
        {
            _committed.TrySetException(exception);
            _ = _committed.Task.Exception;
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            // Timers count whole milliseconds of another clock: one that fires before the deadline would let a last attempt out.
            while (_deadline - DateTime.UtcNow is { } left && left <= pause)
            {
                if (left <= TimeSpan.Zero) return;
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), _cancellation.Token).ConfigureAwait(false);
                pause = left;
            }
            if (pause > TimeSpan.Zero) await Task.Delay(pause, _cancellation.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The next attempt tells.
        }
    }

    private bool HasEnded() => _cancellation.IsCancellationRequested || _deadline <= DateTime.UtcNow;

    private void Commit(ClientCall<TRequest, TResponse> attempt)
    {
        Log.Commit();
        _committed.TrySetResult(attempt);
    }

    private async Task<Metadata> ReadHeadersAsync() => await (await Committed.ConfigureAwait(false)).ResponseHeaders.ConfigureAwait(false);

    private ClientCall<TRequest, TResponse> Ended() => Committed.IsCompletedSuccessfully
        ? Committed.Result
        : throw new InvalidOperationException("Unable to get the status because the call is not complete.");

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
