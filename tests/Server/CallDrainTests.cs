using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Recsys.Server.Serving;

namespace Recsys.Server.Tests;

public sealed class CallDrainTests
{
    private readonly Lifetime _lifetime = new();

    [Fact]
    public async Task A_call_has_its_time_and_the_server_ends_after_it()
    {
        using var drain = Drain(TimeSpan.FromHours(1));
        var end = new TaskCompletionSource();
        var context = new DefaultHttpContext();
        var call = drain.RunAsync(context, _ => end.Task);
        _lifetime.Stopping.Cancel();
        Assert.True(drain.IsStopping);
        Assert.False(drain.IsCut);
        Assert.False(context.RequestAborted.IsCancellationRequested);
        _lifetime.Stopped.Cancel();
        Assert.False(drain.Ended.IsCompleted);
        end.SetResult();
        await call;
        await drain.Ended;
    }

    [Fact]
    public async Task When_the_time_is_over_every_call_is_cancelled()
    {
        using var drain = Drain(TimeSpan.Zero);
        var context = new DefaultHttpContext();
        var call = drain.RunAsync(context, http => Task.Delay(Timeout.Infinite, http.RequestAborted));
        Assert.False(call.IsCompleted);
        _lifetime.Stopping.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.True(drain.IsCut);
        Assert.False(drain.Ended.IsCompleted); // the ports are open still: another call may come
        _lifetime.Stopped.Cancel();
        await drain.Ended;
    }

    [Fact]
    public async Task A_client_that_goes_away_cancels_its_own_call_alone()
    {
        using var drain = Drain(TimeSpan.FromHours(1));
        using var gone = new CancellationTokenSource();
        var context = new DefaultHttpContext { RequestAborted = gone.Token };
        var other = new DefaultHttpContext();
        var end = new TaskCompletionSource();
        var call = drain.RunAsync(context, http => Task.Delay(Timeout.Infinite, http.RequestAborted));
        var stays = drain.RunAsync(other, _ => end.Task);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.False(other.RequestAborted.IsCancellationRequested);
        end.SetResult();
        await stays;
    }

    [Fact]
    public void A_server_that_serves_nobody_ends_when_it_has_stopped()
    {
        using var drain = Drain(TimeSpan.FromHours(1));
        Assert.False(drain.Ended.IsCompleted);
        _lifetime.Stopping.Cancel();
        Assert.False(drain.Ended.IsCompleted);
        _lifetime.Stopped.Cancel();
        Assert.True(drain.Ended.IsCompletedSuccessfully);
    }

    private CallDrain Drain(TimeSpan time) =>
        new(new ServeOptions("", null, new IPEndPoint(IPAddress.Loopback, 0), null, time), _lifetime, TimeProvider.System);

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationTokenSource Stopping { get; } = new();

        public CancellationTokenSource Stopped { get; } = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => Stopping.Token;

        public CancellationToken ApplicationStopped => Stopped.Token;

        public void StopApplication() => Stopping.Cancel();
    }
}
