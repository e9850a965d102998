using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Balancer;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>Several addresses behind one channel: by turns, around the dead, back to the living.</summary>
public sealed class BalancerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static GrpcChannel Channel(IEnumerable<int> ports, LoadBalancingConfig? policy = null, Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Insecure,
            ServiceConfig = new ServiceConfig { LoadBalancingConfigs = { policy ?? new RoundRobinConfig() } },
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(20),
            MaxReconnectBackoff = TimeSpan.FromMilliseconds(100),
            ServiceProvider = new ServiceCollection().AddSingleton<ResolverFactory>(
                new StaticResolverFactory(_ => ports.Select(port => new BalancerAddress("127.0.0.1", port)))).BuildServiceProvider(),
        };
        configure?.Invoke(options);
        return GrpcChannel.ForAddress("static:///echo", options);
    }

    private static int Port(EchoHost host) => new Uri(host.Address).Port;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await holds()) patience.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task Calls_go_to_all_addresses_by_turns()
    {
        await using EchoHost a = await EchoHost.StartAsync(), b = await EchoHost.StartAsync(), c = await EchoHost.StartAsync();
        using GrpcChannel channel = Channel([Port(a), Port(b), Port(c)]);
        var client = new Echo.EchoClient(channel);
        await UntilAsync(async () =>
        {
            await client.UnaryAsync(new EchoRequest());
            return a.Probe.Calls > 0 && b.Probe.Calls > 0 && c.Probe.Calls > 0; // all three are connected
        });
        (int beforeA, int beforeB, int beforeC) = (a.Probe.Calls, b.Probe.Calls, c.Probe.Calls);
        for (int i = 0; i < 30; i++) await client.UnaryAsync(new EchoRequest());
        Assert.Equal((10, 10, 10), (a.Probe.Calls - beforeA, b.Probe.Calls - beforeB, c.Probe.Calls - beforeC));
    }

    [Fact]
    public async Task Dead_address_is_left_out_and_taken_back_when_it_lives_again()
    {
        await using EchoHost living = await EchoHost.StartAsync();
        int port = FreePort();
        using GrpcChannel channel = Channel([Port(living), port]);
        var client = new Echo.EchoClient(channel);
        for (int i = 0; i < 20; i++) await client.UnaryAsync(new EchoRequest());
        Assert.Equal(20, living.Probe.Calls);
        await using (EchoHost returned = await EchoHost.StartAsync(port: port))
        {
            await UntilAsync(async () =>
            {
                await client.UnaryAsync(new EchoRequest());
                return returned.Probe.Calls > 5;
            });
            await returned.StopAsync(); // with GOAWAY: what is sent before the client notices goes to the other one
        }
        for (int i = 0; i < 20; i++) await client.UnaryAsync(new EchoRequest());
        await using EchoHost again = await EchoHost.StartAsync(port: port);
        await UntilAsync(async () =>
        {
            await client.UnaryAsync(new EchoRequest());
            return again.Probe.Calls > 5;
        });
    }

    [Fact]
    public async Task First_address_that_answers_gets_all_calls()
    {
        await using EchoHost a = await EchoHost.StartAsync(), b = await EchoHost.StartAsync();
        using GrpcChannel channel = Channel([FreePort(), Port(a), Port(b)], new PickFirstConfig());
        var client = new Echo.EchoClient(channel);
        for (int i = 0; i < 10; i++) await client.UnaryAsync(new EchoRequest());
        Assert.Equal((10, 0), (a.Probe.Calls, b.Probe.Calls));
        await a.StopAsync();
        await client.UnaryAsync(new EchoRequest(), new CallOptions().WithWaitForReady());
        Assert.Equal(1, b.Probe.Calls);
    }

    [Fact]
    public async Task Without_any_connection_calls_fail_at_once_or_wait_as_they_ask()
    {
        int port = FreePort();
        using GrpcChannel channel = Channel([port]);
        var client = new Echo.EchoClient(channel);
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains($"127.0.0.1:{port}", failure.Status.Detail);
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new EchoRequest(), new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(200)).WithWaitForReady()))).StatusCode);
        AsyncUnaryCall<EchoResponse> waiting = client.UnaryAsync(new EchoRequest { Text = "x" }, new CallOptions().WithWaitForReady());
        await using EchoHost host = await EchoHost.StartAsync(port: port);
        Assert.Equal("x", (await waiting.ResponseAsync.WaitAsync(Patience)).Text);
    }

    [Fact]
    public async Task Waiting_for_ready_works_on_a_channel_of_one_address_too()
    {
        int port = FreePort();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}", new GrpcChannelOptions { InitialReconnectBackoff = TimeSpan.FromMilliseconds(20) });
        AsyncUnaryCall<EchoResponse> waiting = new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "x" }, new CallOptions().WithWaitForReady());
        await using EchoHost host = await EchoHost.StartAsync(port: port);
        Assert.Equal("x", (await waiting.ResponseAsync.WaitAsync(Patience)).Text);
    }

    [Fact]
    public async Task Channel_tells_its_state()
    {
        int port = FreePort();
        using GrpcChannel channel = Channel([port]);
        Assert.Equal(ConnectivityState.Idle, channel.State);
        Task connected = channel.ConnectAsync();
        while (channel.State != ConnectivityState.TransientFailure) await channel.WaitForStateChangedAsync(channel.State).WaitAsync(Patience);
        await using EchoHost host = await EchoHost.StartAsync(port: port);
        await connected.WaitAsync(Patience);
        Assert.Equal(ConnectivityState.Ready, channel.State);
        channel.Dispose();
        Assert.Equal(ConnectivityState.Shutdown, channel.State);
    }

    [Fact]
    public async Task Dns_name_is_resolved()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress($"dns:///localhost:{Port(host)}", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure });
        Assert.Equal("x", (await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "x" })).Text);
        using GrpcChannel unknown = GrpcChannel.ForAddress("dns:///no-such-host.invalid:1", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(unknown).UnaryAsync(new EchoRequest()))).StatusCode);
    }

    [Fact]
    public async Task Retry_goes_to_another_address()
    {
        await using EchoHost good = await EchoHost.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        Task closing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) (await listener.AcceptTcpClientAsync(stop.Token)).Dispose(); // accepts, and hangs up
        });
        using GrpcChannel channel = Channel([Port(good), ((IPEndPoint)listener.LocalEndpoint).Port], configure: options => options.ServiceConfig!.MethodConfigs.Add(new MethodConfig
        {
            Names = { MethodName.Default },
            RetryPolicy = new RetryPolicy
            {
                MaxAttempts = 5, InitialBackoff = TimeSpan.FromMilliseconds(1), MaxBackoff = TimeSpan.FromMilliseconds(5), BackoffMultiplier = 1,
                RetryableStatusCodes = { StatusCode.Unavailable, StatusCode.Internal },
            },
        }));
        var client = new Echo.EchoClient(channel);
        for (int i = 0; i < 50; i++) Assert.Equal($"{i}", (await client.UnaryAsync(new EchoRequest { Text = $"{i}" })).Text);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => closing);
    }
}
