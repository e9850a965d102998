using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>Our client against a server of @grpc/grpc-js, in interop/server.js, which compresses its answers or does not.</summary>
public sealed class OfficialServerTests(OfficialServerTests.Servers servers) : IClassFixture<OfficialServerTests.Servers>
{
    public sealed class Servers : IAsyncLifetime
    {
        private readonly List<(Process Process, GrpcChannel Channel)> _started = [];

        public Echo.EchoClient Plain { get; private set; } = null!;

        public Echo.EchoClient Gzip { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            if (Node.MissingMessage is not null) return;
            Plain = await StartAsync();
            Gzip = await StartAsync("gzip");
        }

        private async Task<Echo.EchoClient> StartAsync(params string[] arguments)
        {
            Process process = Node.Start("server.js", arguments);
            string port = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("server.js ended without a port.");
            GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
            _started.Add((process, channel));
            return new Echo.EchoClient(channel);
        }

        public async Task DisposeAsync()
        {
            foreach ((Process process, GrpcChannel channel) in _started)
            {
                channel.Dispose();
                process.StandardInput.Close();
                await process.WaitForExitAsync();
                process.Dispose();
            }
        }
    }

    private static readonly Metadata AskGzip = new() { { "grpc-internal-encoding-request", "gzip" } };

    [NodeFact]
    public async Task Unary_with_text_and_bytes()
    {
        EchoResponse response = await servers.Plain.UnaryAsync(new EchoRequest { Text = "žluť 🐎", Payload = ByteString.CopyFrom(1, 2) });
        Assert.Equal(("žluť 🐎", 2), (response.Text, response.Payload.Length));
    }

    [NodeFact]
    public async Task Server_stream()
    {
        using AsyncServerStreamingCall<EchoResponse> call = servers.Plain.ServerStream(new EchoRequest { Count = 300 }, new Metadata { { "x-a", "v" } });
        var indices = new List<int>();
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync()) indices.Add(response.Index);
        Assert.Equal(Enumerable.Range(0, 300), indices);
        Assert.Equal("v", call.GetTrailers().GetValue("x-a"));
    }

    [NodeFact]
    public async Task Client_stream()
    {
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = servers.Plain.ClientStream();
        for (byte i = 0; i < 50; i++) await call.RequestStream.WriteAsync(new EchoRequest { Payload = ByteString.CopyFrom(i) });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(50, (await call).Index);
    }

    [NodeFact]
    public async Task Duplex_in_turns()
    {
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = servers.Plain.Duplex();
        for (int i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [NodeFact]
    public async Task Binary_metadata()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        using AsyncUnaryCall<EchoResponse> call = servers.Plain.UnaryAsync(new EchoRequest(), new Metadata { { "x-b-bin", bytes } });
        Assert.Equal(bytes, (await call.ResponseHeadersAsync).GetValueBytes("x-b-bin")!);
        await call;
        Assert.Equal(bytes, call.GetTrailers().GetValueBytes("x-b-bin")!);
    }

    [NodeTheory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Failure_with_a_unicode_message_and_trailers(int count)
    {
        using AsyncServerStreamingCall<EchoResponse> call = servers.Plain.ServerStream(
            new EchoRequest { Count = count, FailCode = 5, FailMessage = "není 100% ☺" }, new Metadata { { "x-a", "v" } });
        for (int i = 0; i < count; i++) Assert.True(await call.ResponseStream.MoveNext());
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.NotFound, "není 100% ☺"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("v", failure.Trailers.GetValue("x-a"));
    }

    [NodeFact]
    public async Task Unimplemented_method()
    {
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(async () => await servers.Plain.UnimplementedAsync(new EchoRequest()))).StatusCode);
    }

    [NodeFact]
    public async Task Deadline()
    {
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(
            async () => await servers.Plain.UnaryAsync(new EchoRequest { Wait = true }, deadline: DateTime.UtcNow.AddMilliseconds(200)))).StatusCode);
    }

    [NodeFact]
    public async Task Cancellation_in_mid_stream()
    {
        using var cancellation = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoResponse> call = servers.Plain.ServerStream(new EchoRequest { Count = 5, Wait = true }, cancellationToken: cancellation.Token);
        for (int i = 0; i < 5; i++) Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> next = call.ResponseStream.MoveNext();
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
    }

    [NodeFact]
    public async Task Gzip_both_ways()
    {
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[100_000]) };
        Assert.Equal(request.Payload, (await servers.Gzip.UnaryAsync(request, AskGzip)).Payload);
        using AsyncServerStreamingCall<EchoResponse> call = servers.Gzip.ServerStream(new EchoRequest { Count = 10, ResponseSize = 5000 }, AskGzip);
        await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync()) Assert.Equal(5000, response.Payload.Length);
    }

    [NodeFact]
    public async Task Message_above_the_servers_limit()
    {
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(
            async () => await servers.Plain.UnaryAsync(new EchoRequest { Payload = ByteString.CopyFrom(new byte[1_000_000]) }))).StatusCode);
    }

    [NodeFact]
    public async Task A_hundred_streams_at_once()
    {
        int[] counts = await Task.WhenAll(Enumerable.Range(0, 100).Select(async n =>
        {
            using AsyncServerStreamingCall<EchoResponse> call = servers.Plain.ServerStream(new EchoRequest { Count = n, Text = $"{n}" });
            int count = 0;
            await foreach (EchoResponse response in call.ResponseStream.ReadAllAsync())
            {
                Assert.Equal($"{n}", response.Text);
                count++;
            }
            return count;
        }));
        Assert.Equal(Enumerable.Range(0, 100), counts);
    }
}
