using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class DeadlineTests
{
    private static Task<EchoHost> StartAsync(FakeTimeProvider time) =>
        EchoHost.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));

    [Theory]
    [InlineData("Unary")]
    [InlineData("ServerStream")]
    public async Task Server_ends_a_call_at_its_deadline_and_cancels_its_token(string method)
    {
        var time = new FakeTimeProvider();
        await using EchoHost host = await StartAsync(time);
        Task<RawClient.Answer> answering = host.Raw().PostAsync(
            $"/recsys.test.Echo/{method}", RawClient.Frame(new EchoRequest { Wait = true, Count = 2 }), ("grpc-timeout", "90S"));
        await host.Probe.Waiting.Task;
        Assert.Equal(time.GetUtcNow().UtcDateTime.AddSeconds(90), host.Probe.LastDeadline);
        time.Advance(TimeSpan.FromSeconds(89));
        Assert.False(answering.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((4, "Deadline Exceeded"), ((await answering).Status, (await answering).Message));
        await host.Probe.Cancelled.Task;
    }

    [Fact]
    public async Task Server_answers_at_the_deadline_even_when_the_service_does_not_care()
    {
        var time = new FakeTimeProvider();
        await using EchoHost host = await StartAsync(time);
        host.Probe.Stubborn = true;
        Task<RawClient.Answer> answering = host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest { Wait = true }), ("grpc-timeout", "1H"));
        await host.Probe.Waiting.Task;
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(4, (await answering).Status);
        host.Probe.Released.SetResult();
    }

    [Fact]
    public async Task Duplex_call_ends_at_its_deadline_while_the_client_still_sends()
    {
        var time = new FakeTimeProvider();
        await using EchoHost host = await StartAsync(time);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Client().Duplex(deadline: DateTime.UtcNow.AddHours(1));
        await call.RequestStream.WriteAsync(new EchoRequest { Wait = true });
        Assert.True(await call.ResponseStream.MoveNext());
        await host.Probe.Waiting.Task;
        time.Advance(TimeSpan.FromHours(1));
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Fact]
    public async Task Call_without_a_deadline_has_the_maximum()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        await host.Client().UnaryAsync(new EchoRequest());
        Assert.Equal(DateTime.MaxValue, host.Probe.LastDeadline);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("S")]
    [InlineData("5s")]
    [InlineData("-5S")]
    [InlineData("123456789S")]
    [InlineData("1.5S")]
    public async Task Malformed_timeout_is_an_internal_error(string timeout)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest()), ("grpc-timeout", timeout));
        Assert.Equal(13, answer.Status);
        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory]
    [InlineData("99999999H")]
    [InlineData("99999999n")]
    public async Task Longest_and_finest_timeouts_are_understood(string timeout)
    {
        await using EchoHost host = await StartAsync(new FakeTimeProvider());
        Assert.Equal(0, (await host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest()), ("grpc-timeout", timeout))).Status);
    }

    [Fact]
    public async Task Zero_timeout_is_exceeded_at_once()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Equal(4, (await host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest { Wait = true }), ("grpc-timeout", "0n"))).Status);
    }

    [Fact]
    public async Task Client_ends_a_call_at_its_deadline_by_itself()
    {
        // The server's clock stands still, so only the client can end the call.
        await using EchoHost host = await StartAsync(new FakeTimeProvider());
        using AsyncUnaryCall<EchoResponse> call = host.Client().UnaryAsync(new EchoRequest { Wait = true }, deadline: DateTime.UtcNow.AddMilliseconds(150));
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Deadline_in_the_past_fails_without_a_request()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(-1)));
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact]
    public async Task Deadline_must_be_in_utc()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Throws<InvalidOperationException>(() => { _ = host.Client().UnaryAsync(new EchoRequest(), deadline: DateTime.Now.AddDays(1)); });
    }
}
