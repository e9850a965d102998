using Google.Protobuf;
using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>Our client against the official servers, in interop/server.js and interop/server.py: the four call kinds and many of them at once.</summary>
public sealed class OfficialServerTests(OfficialServers servers) : IClassFixture<OfficialServers>
{
    [Theory, JavaScript, Python]
    public async Task Unary_with_text_and_bytes(string peer)
    {
        EchoResponse response = await (await servers.ClientAsync(peer)).UnaryAsync(new EchoRequest { Text = "žluť 🐎", Payload = ByteString.CopyFrom(1, 2) });
        Assert.Equal(("žluť 🐎", 2), (response.Text, response.Payload.Length));
    }

    [Theory, JavaScript, Python]
    public async Task Server_stream(string peer)
    {
        using AsyncServerStreamingCall<EchoResponse> call = (await servers.ClientAsync(peer)).ServerStream(
            new EchoRequest { Count = 300 }, new Metadata { { "x-a", "v" } });
        var indices = new List<int>();
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync()) indices.Add(response.Index);
        Assert.Equal(Enumerable.Range(0, 300), indices);
        Assert.Equal("v", call.GetTrailers().GetValue("x-a"));
    }

    [Theory, JavaScript, Python]
    public async Task Client_stream(string peer)
    {
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = (await servers.ClientAsync(peer)).ClientStream();
        for (byte i = 0; i < 50; i++) await call.RequestStream.WriteAsync(new EchoRequest { Payload = ByteString.CopyFrom(i) });
        await call.RequestStream.CompleteAsync();
        EchoResponse response = await call;
        Assert.Equal(50, response.Index);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (byte)i), response.Payload.ToByteArray());
    }

    [Theory, JavaScript, Python]
    public async Task Duplex_in_turns(string peer)
    {
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = (await servers.ClientAsync(peer)).Duplex();
        for (int i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Theory, JavaScript, Python]
    public async Task Half_close_before_the_answers(string peer)
    {
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = (await servers.ClientAsync(peer)).Duplex();
        for (int i = 0; i < 20; i++) await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}", ResponseSize = 50_000 });
        await call.RequestStream.CompleteAsync();
        var texts = new List<string>();
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync()) texts.Add(response.Text);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), texts);
    }

    [Theory, JavaScript, Python]
    public async Task Server_ends_before_half_close(string peer)
    {
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = (await servers.ClientAsync(peer)).Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest { FailCode = 9, FailMessage = "enough" });
        Assert.True(await call.ResponseStream.MoveNext());
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.FailedPrecondition, "enough"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(
            () => call.RequestStream.WriteAsync(new EchoRequest()))).StatusCode);
    }

    [Theory, JavaScript, Python]
    public async Task Cancellation_in_mid_stream(string peer)
    {
        using var cancellation = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoResponse> call = (await servers.ClientAsync(peer)).ServerStream(
            new EchoRequest { Count = 5, Wait = true }, cancellationToken: cancellation.Token);
        for (int i = 0; i < 5; i++) Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> next = call.ResponseStream.MoveNext();
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
    }

    /// <summary>Each stream has had an answer before any is half-closed, so all are open together.</summary>
    [Theory, JavaScript, Python]
    public async Task A_thousand_streams_at_once(string peer)
    {
        Echo.EchoClient client = await servers.ClientAsync(peer);
        AsyncDuplexStreamingCall<EchoRequest, EchoResponse>[] calls = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async n =>
        {
            AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = client.Duplex();
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{n}" });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal($"{n}", call.ResponseStream.Current.Text);
            return call;
        }));
        await Task.WhenAll(calls.Select(async (call, n) =>
        {
            using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> owned = call;
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"again {n}" });
            await call.RequestStream.CompleteAsync();
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal($"again {n}", call.ResponseStream.Current.Text);
            Assert.False(await call.ResponseStream.MoveNext());
        }));
    }
}
