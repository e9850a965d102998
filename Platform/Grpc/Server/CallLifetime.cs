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

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private DateTime _deadline = DateTime.MaxValue;
    private TimeSpan _timeout;
    private CancellationTokenSource? _cancellation;
    private ITimer? _deadlineTimer;
    private Task _earlyEnd = Task.CompletedTask;
    private ICompressionProvider? _responseCompression;
    private bool _writing;
    private bool _deadlinePassed;
    private bool _ended;

    public ICompressionProvider? ResponseCompression =>
        _responseCompression is not null && (WriteOptionsCore?.Flags & WriteFlags.NoCompress) != WriteFlags.NoCompress ? _responseCompression : null;

    public CompressionLevel? ResponseCompressionLevel => Options.ResponseCompressionLevel;

    /// <summary>Reads the protocol's request headers, prepares the response's, and sets the deadline going.</summary>
    public void Start()
    {
        HttpResponse response = HttpContext.Response;
        response.ContentType = Headers.ContentType;
        if (Options.ResponseCompressionAlgorithm is { } algorithm) SetResponseEncoding(algorithm);

        string? timeout = HttpContext.Request.Headers[Headers.Timeout];
        if (timeout is null) return;
        if (!TimeoutHeader.TryParse(timeout, out _timeout))
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Malformed grpc-timeout '{timeout}'; it is 1 to 8 digits and one of H, M, S, m, u, n."));
        }
        DateTime now = _time.GetUtcNow().UtcDateTime;
        _deadline = _timeout < DateTime.MaxValue - now ? now + _timeout : DateTime.MaxValue;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(HttpContext.RequestAborted);
        if (_timeout >= LongestTimer) return;
        // The gate keeps a timer that fires at once from running before the field is set.
        lock (_gate) _deadlineTimer = _time.CreateTimer(static call => ((HttpContextServerCallContext)call!).OnDeadline(), this, _timeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Before anything is written by the service. Throws when the call has ended or another write is going on.</summary>
    public void BeginWrite()
    {
        lock (_gate)
        {
            if (_ended || _deadlinePassed || HttpContext.RequestAborted.IsCancellationRequested)
            {
                throw new OperationCanceledException("The call has ended: nothing more can be sent.", CancellationTokenCore);
            }
            if (_writing) throw new InvalidOperationException("The previous write has not finished: await it before the next one.");
            _writing = true;
        }
    }

    public void EndWrite()
    {
        lock (_gate)
        {
            _writing = false;
            if (_deadlinePassed && !_ended) EndAtDeadline();
        }
    }

    private void SetResponseEncoding(string algorithm)
    {
        _responseCompression = AcceptsEncoding(algorithm) ? Options.Codecs.Find(algorithm) : null;
        if (_responseCompression is null) HttpContext.Response.Headers.Remove(Headers.Encoding);
        else HttpContext.Response.Headers[Headers.Encoding] = _responseCompression.EncodingName;
    }

    private bool AcceptsEncoding(string algorithm)
    {
        foreach (string? values in HttpContext.Request.Headers[Headers.AcceptEncoding])
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
        lock (_gate)
        {
            if (_ended) return;
            if (_deadlinePassed)
            {
                HttpContext.Abort();
                return;
            }
            _deadlinePassed = true;
            if (_writing) _deadlineTimer!.Change(StuckWriteGrace, Timeout.InfiniteTimeSpan);
            else EndAtDeadline();
        }
    }

    private void EndAtDeadline()
    {
        _ended = true;
        GrpcLog.DeadlineExceeded(_logger, _timeout, MethodCore);
        _earlyEnd = Task.Run(async () =>
        {
            try
            {
                WriteStatus(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"), trailers: null);
                await HttpContext.Response.CompleteAsync();
                // Tells a client that is still sending that nobody reads any more.
                if (_method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming) HttpContext.Features.Get<IHttpResetFeature>()?.Reset(0);
            }
            finally
            {
                await _cancellation!.CancelAsync();
            }
        });
    }

    /// <summary>Ends the call with its status, or waits for the end that the deadline brought.</summary>
    public async Task EndAsync(Exception? failure)
    {
        bool first;
        lock (_gate)
        {
            first = !_ended;
            _ended = true;
        }
        if (_deadlineTimer is not null) await _deadlineTimer.DisposeAsync();
        try
        {
            if (first) WriteFinalStatus(failure);
            else if (failure is not null and not OperationCanceledException) GrpcLog.ErrorAfterEnd(_logger, MethodCore, failure);
            await _earlyEnd;
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
