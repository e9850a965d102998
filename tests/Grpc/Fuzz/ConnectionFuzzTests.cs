using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>Damage below the messages: HTTP/2 frames from a client, and whole answers from a server.</summary>
[Collection(nameof(Alone))]
public sealed class ConnectionFuzzTests
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    /// <summary>Type, flags and stream of a frame, and a length that may lie.</summary>
    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload, int? length = null)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, (length ?? payload.Length) << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    private static byte[] Conversation(Random random)
    {
        byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
        byte[] headers = [0x83, 0x86, 0x44, .. Text("/recsys.test.Echo/Unary"), 0x41, .. Text("localhost"), 0x5F, .. Text("application/grpc"), 0x40, .. Text("te"), .. Text("trailers")];
        byte[] message = RawClient.Frame(new EchoRequest { Text = "text" });
        List<byte> bytes = [.. Preface, .. Frame(4, 0, 0, [])];
        for (int stream = 1, streams = 2 * random.Next(1, 4); stream < streams; stream += 2)
        {
            bytes.AddRange(Frame(1, 4, stream, headers));
            bytes.AddRange(Frame(0, 1, stream, message, random.Next(8) == 0 ? random.Next(1 << 24) : null));
            if (random.Next(4) == 0) bytes.AddRange(Frame((byte)random.Next(12), (byte)random.Next(256), random.Next(4), Mutation.Damage(message, random)));
        }
        byte[] whole = [.. bytes];
        // Mostly after the preface: a damaged one ends the conversation at once.
        int intact = random.Next(10) == 0 ? 0 : Preface.Length;
        return [.. whole[..intact], .. Mutation.Damage(whole[intact..], random)];
    }

    [Fact]
    public async Task Damaged_frames_end_their_connection_and_nothing_else()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        var address = new IPEndPoint(IPAddress.Loopback, new Uri(host.Address).Port);
        int count = Mutation.Count(full: 50_000, small: 3000);
        async Task RunAsync(int from, int to) => await Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (seed, stop) =>
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, stop);
            try
            {
                await socket.SendAsync(Conversation(new Random(seed)), stop);
                socket.Shutdown(SocketShutdown.Send);
                var answer = new byte[4096];
                // The server says GOAWAY, resets or just closes; that it does is what counts.
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                patience.CancelAfter(TimeSpan.FromSeconds(20));
                while (await socket.ReceiveAsync(answer, patience.Token) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // Closed while we were sending.
            }
        });
        await RunAsync(0, count / 3);
        ProcessGauge before = ProcessGauge.Read();
        await RunAsync(count / 3, count);
        ProcessGauge.AssertNoGrowth(before, ProcessGauge.Read());
        Assert.True(host.Probe.Calls > 0);
        Assert.Equal("alive", (await host.Client().UnaryAsync(new EchoRequest { Text = "alive" })).Text);
    }

    [Fact]
    public async Task Damaged_answers_give_the_client_a_status()
    {
        byte[] good = RawClient.Frame(new EchoResponse { Text = "text", Payload = ByteString.CopyFrom(1, 2, 3) });
        string[] statuses = ["0", "0", "0", "5", "77", "x", "-1", "99999999999", "", "0\t", "٣"];
        await using EchoHost host = await EchoHost.StartAsync(map: app => app.Use(next => async http =>
        {
            if (!int.TryParse(http.Request.Headers["x-seed"], out int seed))
            {
                await next(http);
                return;
            }
            var random = new Random(seed);
            http.Response.ContentType = random.Next(20) == 0 ? "text/html" : "application/grpc";
            if (random.Next(3) == 0) http.Response.Headers["grpc-encoding"] = random.Next(2) == 0 ? "gzip" : "snappy";
            if (random.Next(10) == 0) http.Response.Headers["x-a-bin"] = "A";
            await http.Response.BodyWriter.WriteAsync(random.Next(5) == 0 ? good : Mutation.Damage(good, random));
            if (random.Next(20) == 0) http.Abort();
            if (random.Next(10) > 0)
            {
                string status = statuses[random.Next(statuses.Length)];
                http.Response.AppendTrailer("grpc-status", status.All(char.IsAscii) && !status.Any(char.IsControl) ? status : "13");
                http.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(status) + "%%zz%4");
            }
        }));
        using GrpcChannel channel = host.Channel(options => options.MaxReceiveMessageSize = 1000);
        var client = new Echo.EchoClient(channel);
        var ends = new ConcurrentDictionary<StatusCode, int>();
        int count = Mutation.Count(full: 200_000, small: 10_000);
        async Task RunAsync(int from, int to) => await Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (seed, stop) =>
        {
            StatusCode end = StatusCode.OK;
            try
            {
                if (seed % 2 == 0)
                {
                    await client.UnaryAsync(new EchoRequest(), new Metadata { { "x-seed", $"{seed}" } }, cancellationToken: stop);
                }
                else
                {
                    using AsyncServerStreamingCall<EchoResponse> call = client.ServerStream(
                        new EchoRequest(), new Metadata { { "x-seed", $"{seed}" } }, cancellationToken: stop);
                    while (await call.ResponseStream.MoveNext(stop))
                    {
                    }
                }
            }
            catch (RpcException failure)
            {
                end = failure.StatusCode;
            }
            ends.AddOrUpdate(end, 1, (_, known) => known + 1);
        });
        await RunAsync(0, count / 3);
        ProcessGauge before = ProcessGauge.Read();
        await RunAsync(count / 3, count);
        ProcessGauge.AssertNoGrowth(before, ProcessGauge.Read());
        Assert.Equal(count, ends.Values.Sum());
        foreach (StatusCode code in new[] { StatusCode.OK, StatusCode.Internal, StatusCode.Unknown, StatusCode.NotFound, StatusCode.ResourceExhausted })
        {
            Assert.Contains(code, ends.Keys);
        }
        Assert.Equal("alive", (await client.UnaryAsync(new EchoRequest { Text = "alive" })).Text);
    }
}
