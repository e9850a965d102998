using Google.Protobuf;
using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class SizeLimitTests
{
    private const int Limit = 10_000;

    /// <summary>A message whose serialized size is exactly this.</summary>
    private static EchoRequest Sized(int size)
    {
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[size - 3]) };
        Assert.Equal(size, request.CalculateSize());
        return request;
    }

    [Fact]
    public async Task Server_receives_messages_up_to_its_limit()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = Limit);
        Echo.EchoClient client = host.Client();
        Assert.Equal(Limit - 3, (await client.UnaryAsync(Sized(Limit))).Payload.Length);
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(Sized(Limit + 1)));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Contains("10001 bytes exceeds the limit of 10000 bytes", failure.Status.Detail);
    }

    [Fact]
    public async Task Server_sends_messages_up_to_its_limit()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.MaxSendMessageSize = Limit);
        Echo.EchoClient client = host.Client();
        Assert.Equal(Limit - 3, (await client.UnaryAsync(Sized(Limit))).Payload.Length);
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(Sized(Limit + 1)));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Client_receives_messages_up_to_its_limit()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Echo.EchoClient client = host.Client(options => options.MaxReceiveMessageSize = Limit);
        Assert.Equal(Limit - 3, (await client.UnaryAsync(Sized(Limit))).Payload.Length);
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(Sized(Limit + 1)))).StatusCode);
    }

    [Fact]
    public async Task Client_sends_messages_up_to_its_limit()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Echo.EchoClient client = host.Client(options => options.MaxSendMessageSize = Limit);
        await client.UnaryAsync(Sized(Limit));
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(Sized(Limit + 1)))).StatusCode);
        Assert.Equal(1, host.Probe.Calls);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = client.Duplex();
        await call.RequestStream.WriteAsync(Sized(Limit));
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(Sized(Limit + 1)))).StatusCode);
    }

    [Fact]
    public async Task Default_limit_is_four_mebibytes()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer over = await host.Raw().UnaryAsync(RawClient.Frame([1], length: 4 * 1024 * 1024 + 1));
        Assert.Equal(8, over.Status);
    }

    [Fact]
    public void Negative_limit_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new global::Grpc.AspNetCore.Server.GrpcServiceOptions { MaxReceiveMessageSize = -1 });
    }
}
