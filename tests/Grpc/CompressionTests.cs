using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class CompressionTests
{
    private static readonly EchoRequest Zeros = new() { Payload = ByteString.CopyFrom(new byte[100_000]) };

    private static byte[] Gzip(byte[] bytes)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return target.ToArray();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Compressed_messages_travel_both_ways(string encoding)
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.ResponseCompressionAlgorithm = encoding);
        EchoResponse response = await host.Client().UnaryAsync(Zeros, new Metadata { { "grpc-internal-encoding-request", encoding } });
        Assert.Equal(Zeros.Payload, response.Payload);
    }

    [Fact]
    public async Task Gzipped_request_is_read()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(Gzip(Zeros.ToByteArray()), flag: 1), ("grpc-encoding", "gzip"));
        Assert.Equal(0, answer.Status);
        Assert.Equal(0, answer.Body[0]);
        Assert.Equal(Zeros.Payload, EchoResponse.Parser.ParseFrom(answer.Body, 5, answer.Body.Length - 5).Payload);
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("identity, deflate ,GZIP", true)]
    [InlineData("identity,deflate", false)]
    [InlineData("", false)]
    public async Task Response_is_gzipped_only_for_clients_that_accept_it(string accepted, bool compressed)
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(Zeros), ("grpc-accept-encoding", accepted));
        Assert.Equal(compressed ? "gzip" : null, answer.Header("grpc-encoding"));
        Assert.Equal(compressed ? 1 : 0, answer.Body[0]);
        Assert.Equal(compressed, answer.Body.Length < 1000);
    }

    [Fact]
    public async Task Service_can_ask_for_compression_of_one_answer()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(
            RawClient.Frame(new EchoRequest { Compress = true, ResponseSize = 10_000 }), ("grpc-accept-encoding", "gzip"));
        Assert.Equal(("gzip", (byte)1), (answer.Header("grpc-encoding"), answer.Body[0]));
    }

    [Fact]
    public async Task Unknown_encoding_is_unimplemented_and_the_known_ones_are_named()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame([1, 2, 3], flag: 1), ("grpc-encoding", "snappy"));
        Assert.Equal(12, answer.Status);
        Assert.Equal("identity,gzip,deflate", answer.Header("grpc-accept-encoding"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("identity")]
    public async Task Compressed_flag_without_an_encoding_is_an_internal_error(string? encoding)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        (string, string)[] headers = encoding is null ? [] : [("grpc-encoding", encoding)];
        Assert.Equal(13, (await host.Raw().UnaryAsync(RawClient.Frame([1], flag: 1), headers)).Status);
    }

    [Fact]
    public async Task Damaged_gzip_is_an_internal_error()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        byte[] whole = Gzip(Zeros.ToByteArray());
        using RawClient raw = host.Raw();
        foreach (byte[] damaged in new[] { whole[..^30], [1, 2, 3], [.. whole[..20], .. new byte[20]] })
        {
            Assert.Equal(13, (await raw.UnaryAsync(RawClient.Frame(damaged, flag: 1), ("grpc-encoding", "gzip"))).Status);
        }
    }

    [Fact]
    public async Task Small_message_that_unpacks_beyond_the_limit_is_refused()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = 50_000);
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(Gzip(new byte[100_000_000]), flag: 1), ("grpc-encoding", "gzip"));
        Assert.Equal(8, answer.Status);
        Assert.Equal(13, (await host.Raw().UnaryAsync(RawClient.Frame(Gzip(new byte[40_000]), flag: 1), ("grpc-encoding", "gzip"))).Status);
    }

    [Fact]
    public async Task Unknown_compression_of_the_client_is_refused_before_sending()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Throws<InvalidOperationException>(() => { _ = host.Client().UnaryAsync(Zeros, new Metadata { { "grpc-internal-encoding-request", "snappy" } }); });
    }
}
