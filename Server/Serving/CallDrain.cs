using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Recsys.Server.Serving;

/// <summary>
/// Ends the calls in flight when the server stops: they have <see cref="ServeOptions.Drain"/> to end by themselves, then their token is
/// cancelled, gRPC and JSON alike. The process may leave only after <see cref="Ended"/>: a call's native threads use its models until then.
/// </summary>
internal sealed class CallDrain : IDisposable
{
    private readonly CancellationTokenSource _cut;
    private readonly CancellationToken _stopping;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // One for the server itself, given back when it stops, so that an idle server has not ended.
    private int _calls = 1;

    public CallDrain(ServeOptions options, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        _cut = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _stopping = lifetime.ApplicationStopping;
        _stopping.Register(() => _cut.CancelAfter(options.Drain));
        lifetime.ApplicationStopped.Register(Leave); // not before: until the ports are closed, another call may come
    }

    /// <summary>The server was asked to stop; calls in flight still run.</summary>
    public bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>The time to end is over: the token of every call is cancelled.</summary>
    public bool IsCut => _cut.IsCancellationRequested;

    /// <summary>Completes when the server has stopped and its last call has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Middleware around every call: counts it, and cancels its token when the time to end is over.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref _calls);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _cut.Token);
            context.RequestAborted = either.Token;
            await next(context);
        }
        finally
        {
            Leave();
        }
    }

    public void Dispose() => _cut.Dispose();

    private void Leave()
    {
        if (Interlocked.Decrement(ref _calls) == 0)
        {
            _ended.TrySetResult();
        }
    }
}
