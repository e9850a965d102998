using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class MetadataTests
{
    [Fact]
    public async Task Text_and_binary_metadata_come_back_in_headers_and_trailers()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        var sent = new Metadata { { "X-Text", "a b;c,d" }, { "x-text", "second" }, { "x-bytes-bin", bytes }, { "x-empty-bin", Array.Empty<byte>() }, { "x-one-bin", [7] } };
        using AsyncUnaryCall<EchoResponse> call = host.Client().UnaryAsync(new EchoRequest(), sent);
        Metadata headers = await call.ResponseHeadersAsync;
        await call;
        foreach (Metadata received in new[] { headers, call.GetTrailers() })
        {
            // HttpClient sends the values of one key as one header, joined by commas, which the protocol calls equivalent.
            Assert.Equal("a b;c,d, second", string.Join(", ", received.GetAll("x-text").Select(entry => entry.Value)));
            Assert.Equal(bytes, received.GetValueBytes("x-bytes-bin")!);
            Assert.Empty(received.GetValueBytes("x-empty-bin")!);
            Assert.Equal([7], received.GetValueBytes("x-one-bin")!);
            Assert.True(received.IsReadOnly);
        }
    }

    [Theory]
    [InlineData("AQI=", "AQI")]
    [InlineData("AQI", "AQI")]
    [InlineData("AQI=,Aw==", "AQI,Aw")]
    [InlineData("AQI , Aw", "AQI,Aw")]
    public async Task Binary_metadata_is_read_with_and_without_padding_and_joined(string sent, string received)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest()), ("x-a-bin", sent));
        Assert.Equal(0, answer.Status);
        Assert.Equal(received, answer.Trailer("x-a-bin"));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("AQI=AQI=")]
    [InlineData("!!!!")]
    public async Task Binary_metadata_that_is_not_base64_is_an_internal_error(string sent)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest()), ("x-a-bin", sent));
        Assert.Equal((13, "Header 'x-a-bin' is not valid base64."), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task Trailers_of_a_failure_pass_with_status_details()
    {
        byte[] details = [8, 5, 18, 3, 97, 98, 99];
        await using EchoHost host = await EchoHost.StartAsync(options => options.Interceptors.Add<FailingInterceptor>(details));
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        Assert.Equal(details, failure.Trailers.GetValueBytes("grpc-status-details-bin")!);
        Assert.Equal("kept", failure.Trailers.GetValue("x-set-before"));
    }

    [Fact]
    public void Keys_are_checked_and_lowered()
    {
        Assert.Equal("abc-bin", new Metadata.Entry("ABC-Bin", [1]).Key);
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("a b", "v"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("", "v"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("a", [1]));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("a-bin", "v"));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "v"));
    }

    [Fact]
    public async Task Metadata_that_cannot_be_sent_fails_before_it_is_sent()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest(), new Metadata { { "x-a", "é" } }));
        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.Equal(0, host.Probe.Calls);
    }

    private sealed class FailingInterceptor(byte[] details) : global::Grpc.Core.Interceptors.Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            context.ResponseTrailers.Add("x-set-before", "kept");
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "f"), new Metadata { { "grpc-status-details-bin", details } });
        }
    }
}
