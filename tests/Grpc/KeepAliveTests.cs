using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>Pings find out that the other side is gone, though nobody has closed anything.</summary>
public sealed class KeepAliveTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly SocketsHttpHandler Pinging = new()
    {
        UseProxy = false,
        KeepAlivePingDelay = TimeSpan.FromSeconds(1),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public async Task Client_gives_up_on_a_server_that_went_silent()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        await using var tap = new Http2Tap(host.Address);
        using var channel = global::Grpc.Net.Client.GrpcChannel.ForAddress(tap.Address, new() { HttpHandler = Pinging });
        using AsyncServerStreamingCall<EchoResponse> call = new Echo.EchoClient(channel).ServerStream(new EchoRequest { Count = 1, Wait = true });
        Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> next = call.ResponseStream.MoveNext();
        await tap.PingsAsync(2);
        Assert.False(next.IsCompleted);
        tap.GoSilent();
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => next.WaitAsync(Patience));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        host.Probe.Released.TrySetResult();
    }

    [Fact]
    public async Task Server_gives_up_on_a_client_that_went_silent()
    {
        await using EchoHost host = await EchoHost.StartAsync(kestrel: server =>
        {
            server.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
            server.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(1);
        });
        await using var tap = new Http2Tap(host.Address);
        using var channel = global::Grpc.Net.Client.GrpcChannel.ForAddress(tap.Address);
        using AsyncServerStreamingCall<EchoResponse> call = new Echo.EchoClient(channel).ServerStream(new EchoRequest { Count = 1, Wait = true });
        Assert.True(await call.ResponseStream.MoveNext());
        await host.Probe.Waiting.Task;
        tap.GoSilent();
        await host.Probe.Cancelled.Task.WaitAsync(Patience); // the service's token: its client is gone
        Assert.True(tap.ServerPings >= 1);
    }
}
