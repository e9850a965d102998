using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Start, deadline and end of a call. The call ends once: when its service returns or fails, or at the deadline, whichever is first.
/// Between <see cref="BeginWrite"/> and <see cref="EndWrite"/> the deadline waits, so that nobody writes into an answer that has ended.
/// </summary>
internal sealed partial class HttpContextServerCallContext
{
    // A write that its client does not take may hold the deadline up for this long; then the stream is reset.
    private static readonly TimeSpan StuckWriteGrace = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    // Bits of _state. A call without a deadline costs neither a lock nor an object of its own.
    private const int Writing = 1, DeadlinePassed = 2, Ended = 4;

    private readonly TimeProvider _time;
    private int _state;
    private DateTime _deadline = DateTime.MaxValue;
    private TimeSpan _timeout;
    private CancellationTokenSource? _cancellation;
    private ITimer? _deadlineTimer;
    private TaskCompletionSource? _earlyEnd;
    private ICompressionProvider? _responseCompression;

    public ICompressionProvider? ResponseCompression =>
        _responseCompression is not null && (WriteOptionsCore?.Flags & WriteFlags.NoCompress) != WriteFlags.NoCompress ? _responseCompression : null;

    public CompressionLevel? ResponseCompressionLevel => Options.ResponseCompressionLevel;

    /// <summary>For the reads of calls with one request: a connection that breaks ends them by itself, only the deadline does not.</summary>
    public CancellationToken DeadlineToken => _cancellation?.Token ?? CancellationToken.None;

    /// <summary>Reads the protocol's request headers, prepares the response's, and sets the deadline going.</summary>
    public void Start()
    {
        HttpResponse response = HttpContext.Response;
        response.ContentType = Headers.ContentType;
        if (Options.ResponseCompressionAlgorithm is { } algorithm) SetResponseEncoding(algorithm);

        string? timeout = HttpContext.Request.Headers.GrpcTimeout;
        if (timeout is null) return;
        if (!TimeoutHeader.TryParse(timeout, out _timeout))
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Malformed grpc-timeout '{timeout}'; it is 1 to 8 digits and one of H, M, S, m, u, n."));
        }
        DateTime now = _time.GetUtcNow().UtcDateTime;
        _deadline = _timeout < DateTime.MaxValue - now ? now + _timeout : DateTime.MaxValue;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(HttpContext.RequestAborted);
        _earlyEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_timeout >= LongestTimer) return;
        // Started only once the field is set, which it reads.
        _deadlineTimer = _time.CreateTimer(static call => ((HttpContextServerCallContext)call!).OnDeadline(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _deadlineTimer.Change(_timeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Before anything is written by the service. Throws when the call has ended or another write is going on.</summary>
    public void BeginWrite()
    {
        switch (Interlocked.CompareExchange(ref _state, Writing, 0))
        {
            case 0:
                return;
            case Writing:
                throw new InvalidOperationException("The previous write has not finished: await it before the next one.");
            default:
                throw new OperationCanceledException("The call has ended: nothing more can be sent.", CancellationTokenCore);
        }
    }

    public void EndWrite()
    {
        if (Interlocked.CompareExchange(ref _state, 0, Writing) == Writing) return;
        // The deadline passed meanwhile and has waited for this write; or the service returned without it.
        if (Interlocked.CompareExchange(ref _state, Ended, Writing | DeadlinePassed) == (Writing | DeadlinePassed)) EndAtDeadline();
    }

    private void SetResponseEncoding(string algorithm)
    {
        _responseCompression = AcceptsEncoding(algorithm) ? Options.Codecs.Find(algorithm) : null;
        if (_responseCompression is null) HttpContext.Response.Headers.Remove(Headers.Encoding);
        else HttpContext.Response.Headers[Headers.Encoding] = _responseCompression.EncodingName;
    }

    private bool AcceptsEncoding(string algorithm)
    {
        foreach (string? values in HttpContext.Request.Headers.GrpcAcceptEncoding)
        {
            foreach (Range part in values.AsSpan().Split(','))
            {
                if (values.AsSpan(part).Trim().Equals(algorithm, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }
        return false;
    }

    private void OnDeadline()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case 0 when Interlocked.CompareExchange(ref _state, Ended, 0) == 0:
                    EndAtDeadline();
                    return;
                case Writing when Interlocked.CompareExchange(ref _state, Writing | DeadlinePassed, Writing) == Writing:
                    _deadlineTimer!.Change(StuckWriteGrace, Timeout.InfiniteTimeSpan);
                    return;
                case Writing | DeadlinePassed:
                    HttpContext.Abort();
                    return;
                case 0 or Writing:
                    continue; // a write began or ended just now
                default:
                    return;
            }
        }
    }

    private void EndAtDeadline()
    {
        GrpcLog.DeadlineExceeded(_logger, _timeout, MethodCore);
        _ = Task.Run(async () =>
        {
            try
            {
                WriteStatus(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"), trailers: null);
                await HttpContext.Response.CompleteAsync();
                // Tells a client that is still sending that nobody reads any more.
                if (_method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming) HttpContext.Features.Get<IHttpResetFeature>()?.Reset(0);
                await _cancellation!.CancelAsync();
                _earlyEnd!.SetResult();
            }
            catch (Exception exception)
            {
                await _cancellation!.CancelAsync();
                _earlyEnd!.SetException(exception);
            }
        });
    }

    /// <summary>Ends the call with its status, or waits for the end that the deadline brought.</summary>
    public Task EndAsync(Exception? failure)
    {
        bool first = (Interlocked.Exchange(ref _state, Ended) & Ended) == 0;
        if (!first || failure is not null || _cancellation is not null) return EndAsync(first, failure);
        try
        {
            WriteStatus(StatusCore, _responseTrailers);
            return Task.CompletedTask;
        }
        catch (Exception exception)
        {
            return EndAsync(first, exception);
        }
    }

    private async Task EndAsync(bool first, Exception? failure)
    {
        if (_deadlineTimer is not null) await _deadlineTimer.DisposeAsync();
        try
        {
            if (first) WriteFinalStatus(failure);
            else if (failure is not null and not OperationCanceledException) GrpcLog.ErrorAfterEnd(_logger, MethodCore, failure);
            if (!first) await _earlyEnd!.Task;
        }
        catch (Exception exception) when (exception is ConnectionAbortedException or ConnectionResetException or OperationCanceledException)
        {
            GrpcLog.CallCancelled(_logger, MethodCore);
        }
        catch (Exception exception)
        {
            GrpcLog.ErrorEndingCall(_logger, MethodCore, exception);
            HttpContext.Abort();
        }
        finally
        {
            _cancellation?.Dispose();
        }
    }
}
