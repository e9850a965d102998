using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class CallKindTests
{
    [Fact]
    public async Task Unary_call_returns_the_message_it_sent()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        EchoResponse response = await host.Client().UnaryAsync(new EchoRequest { Text = "žluťoučký 🐎", Payload = ByteString.CopyFrom(1, 2, 3) });
        Assert.Equal("žluťoučký 🐎", response.Text);
        Assert.Equal([1, 2, 3], response.Payload.ToByteArray());
        Assert.StartsWith("ipv4:127.0.0.1:", host.Probe.LastPeer);
    }

    [Fact]
    public async Task Blocking_unary_call_returns_the_message_it_sent()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Equal("x", host.Client().Unary(new EchoRequest { Text = "x" }).Text);
    }

    [Fact]
    public async Task Empty_message_travels_both_ways()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Equal(new EchoResponse(), await host.Client().UnaryAsync(new EchoRequest()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2000)]
    public async Task Server_stream_delivers_all_messages_in_order(int count)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncServerStreamingCall<EchoResponse> call = host.Client().ServerStream(new EchoRequest { Count = count, Text = "t" });
        var indices = new List<int>();
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync()) indices.Add(response.Index);
        Assert.Equal(Enumerable.Range(0, count), indices);
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
        Assert.Empty(call.GetTrailers());
    }

    [Fact]
    public async Task Client_stream_is_received_whole()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Client().ClientStream();
        for (byte i = 0; i < 100; i++) await call.RequestStream.WriteAsync(new EchoRequest { Payload = ByteString.CopyFrom(i) });
        await call.RequestStream.CompleteAsync();
        EchoResponse response = await call;
        Assert.Equal(100, response.Index);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (byte)i), response.Payload.ToByteArray());
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
    }

    [Fact]
    public async Task Client_stream_without_messages_is_answered()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Client().ClientStream();
        await call.RequestStream.CompleteAsync();
        Assert.Equal(0, (await call).Index);
    }

    [Fact]
    public async Task Duplex_answers_each_request_before_the_next_is_sent()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Client().Duplex();
        for (int i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Large_messages_pass_when_limits_allow()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = null);
        byte[] payload = new byte[40_000_000];
        new Random(1).NextBytes(payload);
        EchoResponse response = await host.Client(options => options.MaxReceiveMessageSize = null).UnaryAsync(new EchoRequest { Payload = UnsafeByteOperations.UnsafeWrap(payload) });
        Assert.True(response.Payload.Span.SequenceEqual(payload));
    }

    [Fact]
    public async Task Two_hundred_streams_at_once_get_their_own_answers()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Echo.EchoClient client = host.Client();
        int[] sums = await Task.WhenAll(Enumerable.Range(0, 200).Select(async n =>
        {
            using AsyncServerStreamingCall<EchoResponse> call = client.ServerStream(new EchoRequest { Count = n, Text = $"{n}" });
            int sum = 0;
            await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync())
            {
                Assert.Equal($"{n}", response.Text);
                sum += response.Index;
            }
            return sum;
        }));
        Assert.Equal(Enumerable.Range(0, 200).Select(n => n * (n - 1) / 2), sums);
    }

    [Fact]
    public async Task Calls_travel_over_a_unix_socket()
    {
        string path = Path.Combine(Path.GetTempPath(), $"grpc-{Guid.NewGuid():N}.sock");
        await using EchoHost host = await EchoHost.StartAsync(unixSocket: path);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using GrpcChannel channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        Assert.Equal("socket", (await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "socket" })).Text);
        Assert.Equal("unix:", host.Probe.LastPeer);
    }
}
