using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class MalformedRequestTests
{
    private static readonly byte[] Good = RawClient.Frame(new EchoRequest { Text = "text", Payload = ByteString.CopyFrom(1, 2, 3), Count = 1 });

    public static TheoryData<string, byte[], int> Bodies => new()
    {
        { "no message", [], 13 },
        { "half a prefix", [0, 0, 0], 13 },
        { "truncated message", Good[..^2], 13 },
        { "length above the message's", RawClient.Frame([1, 2], length: 100), 13 },
        { "length below the message's", [.. RawClient.Frame([10, 1, 65], length: 3), 66, 67], 13 },
        { "length of 4 GiB", RawClient.Frame([1, 2], length: uint.MaxValue), 8 },
        { "bad compressed flag", RawClient.Frame([], flag: 2), 13 },
        { "two messages", [.. Good, .. Good], 13 },
        { "no protobuf", RawClient.Frame([255, 255, 255, 255]), 13 },
        { "protobuf cut in a field", RawClient.Frame([10, 50, 1]), 13 },
        { "empty message", RawClient.Frame([]), 0 },
        { "unknown field", RawClient.Frame([248, 7, 1]), 0 },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Body_gets_its_status(string what, byte[] body, int status)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(body);
        Assert.True(answer.Status == status, $"{what}: {answer.Status} {answer.Message}");
        Assert.Equal(status == 0 ? 1 : 0, host.Probe.Calls);
    }

    [Theory]
    [InlineData("application/grpc", 200)]
    [InlineData("application/grpc+proto", 200)]
    [InlineData("application/grpc;charset=utf-8", 200)]
    [InlineData("application/grpc-web", 415)]
    [InlineData("application/json", 415)]
    [InlineData("", 415)]
    public async Task Content_type_must_be_grpc(string contentType, int http)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Equal((HttpStatusCode)http, (await host.Raw().UnaryAsync(Good, ("content-type", contentType))).Http);
    }

    [Fact]
    public async Task Http_1_is_asked_to_upgrade_and_get_is_not_allowed()
    {
        await using EchoHost host = await EchoHost.StartAsync(protocols: HttpProtocols.Http1);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var content = new ByteArrayContent(Good);
        content.Headers.ContentType = new("application/grpc");
        using HttpResponseMessage answer = await client.PostAsync(new Uri($"{host.Address}/recsys.test.Echo/Unary"), content);
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        using HttpResponseMessage get = await client.GetAsync(new Uri($"{host.Address}/recsys.test.Echo/Unary"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
    }
}
