using Google.Protobuf;
using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>Our client against the official servers: metadata, statuses, deadlines, compression, limits, keep-alive.</summary>
public sealed class OfficialServerProtocolTests(OfficialServers servers) : IClassFixture<OfficialServers>
{
    private static readonly Metadata AskGzip = new() { { "grpc-internal-encoding-request", "gzip" } };

    private static async Task<RpcException> FailureAsync(AsyncUnaryCall<EchoResponse> call) => await Assert.ThrowsAsync<RpcException>(async () => await call);

    [Theory, JavaScript, Python]
    public async Task Binary_metadata(string peer)
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        using AsyncUnaryCall<EchoResponse> call = (await servers.ClientAsync(peer)).UnaryAsync(
            new EchoRequest(), new Metadata { { "x-b-bin", bytes }, { "x-empty-bin", [] }, { "x-one-bin", [9] } });
        foreach (Metadata received in new[] { await call.ResponseHeadersAsync, await TrailersAsync(call) })
        {
            Assert.Equal(bytes, received.GetValueBytes("x-b-bin")!);
            Assert.Equal([], received.GetValueBytes("x-empty-bin")!);
            Assert.Equal([9], received.GetValueBytes("x-one-bin")!);
        }
    }

    /// <summary>HttpClient joins the values of one key by commas, as the protocol allows; python3-grpcio 1.51 does not split binary ones.</summary>
    [Theory, JavaScript]
    public async Task Several_binary_values_of_one_key(string peer)
    {
        using AsyncUnaryCall<EchoResponse> call = (await servers.ClientAsync(peer)).UnaryAsync(
            new EchoRequest(), new Metadata { { "x-b-bin", [1, 2] }, { "x-b-bin", [9] } });
        Assert.Equal([[1, 2], [9]], (await TrailersAsync(call)).GetAll("x-b-bin").Select(entry => entry.ValueBytes));
    }

    private static async Task<Metadata> TrailersAsync(AsyncUnaryCall<EchoResponse> call)
    {
        await call;
        return call.GetTrailers();
    }

    [Theory]
    [JavaScript(0, 3)]
    [Python(0, 3)]
    public async Task Failure_with_a_unicode_message_and_trailers(string peer, int count)
    {
        using AsyncServerStreamingCall<EchoResponse> call = (await servers.ClientAsync(peer)).ServerStream(
            new EchoRequest { Count = count, FailCode = 5, FailMessage = "není 100% ☺ 末日" }, new Metadata { { "x-a", "v" } });
        for (int i = 0; i < count; i++) Assert.True(await call.ResponseStream.MoveNext());
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.NotFound, "není 100% ☺ 末日"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("v", failure.Trailers.GetValue("x-a"));
    }

    [Theory, JavaScript, Python]
    public async Task Status_with_details(string peer)
    {
        byte[] details = [8, 8, 18, 1, 102, 255];
        RpcException failure = await FailureAsync((await servers.ClientAsync(peer)).UnaryAsync(
            new EchoRequest { FailCode = 8, FailMessage = "f", FailDetails = ByteString.CopyFrom(details) }));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Equal(details, failure.Trailers.GetValueBytes("grpc-status-details-bin")!);
    }

    [Theory, JavaScript, Python]
    public async Task Unimplemented_method(string peer) =>
        Assert.Equal(StatusCode.Unimplemented, (await FailureAsync((await servers.ClientAsync(peer)).UnimplementedAsync(new EchoRequest()))).StatusCode);

    [Theory, JavaScript, Python]
    public async Task Deadline_ends_the_call(string peer) => Assert.Equal(StatusCode.DeadlineExceeded, (await FailureAsync(
        (await servers.ClientAsync(peer)).UnaryAsync(new EchoRequest { Wait = true }, deadline: DateTime.UtcNow.AddMilliseconds(200)))).StatusCode);

    [Theory, JavaScript, Python]
    public async Task Deadline_reaches_the_server(string peer)
    {
        EchoResponse response = await (await servers.ClientAsync(peer)).UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(20));
        Assert.InRange(response.RemainingMs, 15_000, 20_000);
    }

    [Theory, JavaScript, Python]
    public async Task Gzip_both_ways(string peer)
    {
        Echo.EchoClient client = await servers.ClientAsync(peer, gzip: true);
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[100_000]) };
        Assert.Equal(request.Payload, (await client.UnaryAsync(request, AskGzip)).Payload);
        using AsyncServerStreamingCall<EchoResponse> call = client.ServerStream(new EchoRequest { Count = 10, ResponseSize = 5000 }, AskGzip);
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync()) Assert.Equal(5000, response.Payload.Length);
    }

    /// <summary>Tag and 3-byte length before the payload.</summary>
    [Theory, JavaScript, Python]
    public async Task Request_of_exactly_the_servers_limit_and_one_byte_more(string peer)
    {
        Echo.EchoClient client = await servers.ClientAsync(peer);
        var exact = new EchoRequest { Payload = ByteString.CopyFrom(new byte[OfficialServers.Limit - 4]) };
        Assert.Equal(OfficialServers.Limit, exact.CalculateSize());
        Assert.Equal(exact.Payload.Length, (await client.UnaryAsync(exact)).Payload.Length);
        var over = new EchoRequest { Payload = ByteString.CopyFrom(new byte[OfficialServers.Limit - 3]) };
        Assert.Equal(StatusCode.ResourceExhausted, (await FailureAsync(client.UnaryAsync(over))).StatusCode);
    }

    [Theory, JavaScript, Python]
    public async Task Response_of_exactly_our_limit_and_one_byte_more(string peer)
    {
        Echo.EchoClient client = await servers.ClientAsync(peer, configure: options => options.MaxReceiveMessageSize = 10_000);
        int payload = 10_000 - 3 - (peer == OfficialPeer.JavaScript.Name ? 6 : 0); // JavaScript writes the three other fields, though they hold the default
        Assert.Equal(payload, (await client.UnaryAsync(new EchoRequest { ResponseSize = payload })).Payload.Length);
        Assert.Equal(StatusCode.ResourceExhausted, (await FailureAsync(client.UnaryAsync(new EchoRequest { ResponseSize = payload + 1 }))).StatusCode);
    }

    [Theory, JavaScript, Python]
    public async Task Keep_alive_pings_are_answered_on_an_idle_stream(string peer)
    {
        await using var tap = new Http2Tap(await servers.AddressAsync(peer));
        Echo.EchoClient client = servers.Client(tap.Address, options => options.HttpHandler = new SocketsHttpHandler
        {
            UseProxy = false,
            KeepAlivePingDelay = TimeSpan.FromSeconds(1),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
        });
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = client.Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "a" });
        Assert.True(await call.ResponseStream.MoveNext());
        int before = tap.ClientPings;
        await tap.PingsAsync(before + 2);
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "b" });
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal("b", call.ResponseStream.Current.Text);
        Assert.True(tap.Acks >= before + 1, $"{tap.ClientPings} pings, {tap.Acks} answers");
    }
}
