using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>
/// The life of one call: it ends once, with the server's status or with what happened first here (deadline, cancellation, disposal,
/// a broken connection). Whoever comes later sees that status.
/// </summary>
internal abstract class ClientCall : IStartedCall
{
    private static readonly Status CancelledByCaller = new(StatusCode.Cancelled, "Call canceled by the client.");

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private readonly GrpcChannel _channel;
    private readonly IMethod _method;
    private readonly CancellationTokenSource _cancellation = new();
    private TaskCompletionSource? _finished;
    private List<IDisposable>? _watches;
    private Status _status;
    private Metadata _trailers = Metadata.Empty;
    private HttpResponseMessage? _response;
    private volatile bool _hasEnded;

    protected ClientCall(GrpcChannel channel, IMethod method, CallOptions options)
    {
        _channel = channel;
        _method = method;
        Options = options;
        Deadline = EarliestDeadline(options, channel.ConfigOf(method)?.Timeout);
        channel.Add(this);
    }

    protected Lock Gate { get; } = new();

    /// <summary>Neighbours in the channel's list of calls, which its lock guards.</summary>
    public ClientCall? Next { get; set; }

    /// <inheritdoc cref="Next"/>
    public ClientCall? Previous { get; set; }

    public CallOptions Options { get; }

    /// <summary>UTC, or null.</summary>
    public DateTime? Deadline { get; }

    public GrpcChannel Channel => _channel;

    /// <summary>Cancelled when the call ends before its time.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    public bool HasEnded => _hasEnded;

    /// <summary>Ends when the call has ended, however; never fails. Made for who asks.</summary>
    public Task Finished
    {
        get
        {
            lock (Gate)
            {
                if (_finished is null && _hasEnded) return Task.CompletedTask;
                return (_finished ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    public abstract Task<Metadata> ResponseHeaders { get; }

    public Status GetStatus() => _hasEnded
        ? _status
        : throw new InvalidOperationException("Unable to get the status because the call is not complete.");

    public Metadata GetTrailers() => _hasEnded
        ? _trailers
        : throw new InvalidOperationException("Unable to get the trailers because the call is not complete.");

    /// <summary>By a token that was handed to a read or a write.</summary>
    public void CancelByCaller() => Cancel(CancelledByCaller);

    public void Dispose() => Cancel(new Status(StatusCode.Cancelled, "gRPC call disposed."));

    /// <summary>Starts to watch deadline and cancellation tokens.</summary>
    protected void Watch()
    {
        Status cancelled = CancelledByCaller;
        if (Options.CancellationToken.CanBeCanceled) AddWatch(Options.CancellationToken.Register(() => Cancel(cancelled)));
        if (Options.PropagationToken is { } parent) AddWatch(parent.ParentCancellationToken.Register(() => Cancel(cancelled)));
        if (Deadline is not { } deadline) return;
        TimeSpan remaining = deadline - DateTime.UtcNow;
        var exceeded = new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded");
        if (remaining <= TimeSpan.Zero) Cancel(exceeded);
        else if (remaining < LongestTimer)
        {
            AddWatch(new Timer(_ => Cancel(exceeded), null, (long)Math.Ceiling(remaining.TotalMilliseconds), Timeout.Infinite));
        }
    }

    /// <summary>Gives the answer to the call, which disposes it in the end.</summary>
    protected void Attach(HttpResponseMessage response)
    {
        lock (Gate)
        {
            _response = response;
            if (!_hasEnded) return;
        }
        response.Dispose();
    }

    /// <summary>Ends the call unless it has ended.</summary>
    public void End(Status status, Metadata trailers, bool early)
    {
        lock (Gate)
        {
            if (_hasEnded) return;
            (_status, _trailers) = (status, trailers.Freeze());
            _hasEnded = true; // last: who sees it reads the status without the lock
        }
        ClientLog.CallEnded(_channel.Logger, _method.FullName, status.StatusCode, status.Detail);
        _finished?.SetResult();
        if (early) _cancellation.Cancel();
        _watches?.ForEach(watch => watch.Dispose());
        if (status.StatusCode == StatusCode.OK) _channel.Throttle?.RecordSuccess();
        _response?.Dispose();
        _channel.Remove(this);
    }

    /// <summary>What to throw: the status that the call has ended with, or ends with now because of this exception.</summary>
    public Exception Failure(Exception cause)
    {
        End(ClientErrors.ToStatus(cause), (cause as RpcException)?.Trailers ?? Metadata.Empty, early: true);
        return EndFailure();
    }

    public Exception EndFailure() => _channel.Options.ThrowOperationCanceledOnCancellation && IsCancelledHere()
        ? new OperationCanceledException(_status.Detail, new RpcException(_status, _trailers), Options.CancellationToken)
        : new RpcException(_status, _trailers);

    private bool IsCancelledHere() => _cancellation.IsCancellationRequested && _status.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded;

    private void Cancel(Status status) => End(status, Metadata.Empty, early: true);

    private void AddWatch(IDisposable watch)
    {
        lock (Gate)
        {
            if (!_hasEnded)
            {
                (_watches ??= []).Add(watch);
                return;
            }
        }
        watch.Dispose();
    }

    /// <exception cref="InvalidOperationException">The deadline is not in UTC.</exception>
    public static DateTime? EarliestDeadline(CallOptions options, TimeSpan? timeout)
    {
        DateTime? own = options.Deadline is { } deadline && deadline != DateTime.MaxValue ? deadline : null;
        if (own is { Kind: not DateTimeKind.Utc } && own != DateTime.MinValue)
        {
            throw new InvalidOperationException($"The deadline {own} is of kind {own.Value.Kind}; it must be in UTC.");
        }
        DateTime? parent = options.PropagationToken?.ParentDeadline;
        if (own is null || parent < own) own = parent ?? own;
        if (timeout is null) return own;
        DateTime configured = DateTime.UtcNow + timeout.Value;
        return own is null || configured < own ? configured : own;
    }
}
