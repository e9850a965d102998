using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class StatusTests
{
    [Theory]
    [InlineData(StatusCode.NotFound, "plain")]
    [InlineData(StatusCode.InvalidArgument, "k is 1000001; it must be at most 1000 %20\r\n\t☺ 100%")]
    [InlineData(StatusCode.Unauthenticated, "")]
    [InlineData(StatusCode.DataLoss, "末日 🌋 'quoted' \"double\"")]
    public async Task Failure_of_a_unary_call_carries_code_and_message(StatusCode code, string message)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncUnaryCall<EchoResponse> call = host.Client().UnaryAsync(new EchoRequest { FailCode = (int)code, FailMessage = message });
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal((code, message), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal((code, message), (call.GetStatus().StatusCode, call.GetStatus().Detail));
    }

    [Fact]
    public async Task Failure_after_responses_comes_in_the_trailers()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncServerStreamingCall<EchoResponse> call =
            host.Client().ServerStream(new EchoRequest { Count = 3, FailCode = (int)StatusCode.Aborted, FailMessage = "half way ½" });
        for (int i = 0; i < 3; i++) Assert.True(await call.ResponseStream.MoveNext());
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.Aborted, "half way ½"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Failure_without_a_message_sent_is_one_frame_of_trailers_only()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().UnaryAsync(RawClient.Frame(new EchoRequest { FailCode = 5, FailMessage = "no" }));
        Assert.Equal("5", answer.Header("grpc-status"));
        Assert.Null(answer.Trailer("grpc-status"));
        Assert.Equal("application/grpc", answer.Response.Content.Headers.ContentType!.MediaType);
        Assert.Empty(answer.Body);
    }

    [Fact]
    public async Task Exception_of_a_service_is_unknown_and_does_not_leak()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        host.ExpectsErrors = true;
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest { Crash = "password=123" }));
        Assert.Equal((StatusCode.Unknown, "Exception was thrown by handler."), (failure.StatusCode, failure.Status.Detail));
        string logged = Assert.Single(host.Log.Errors);
        Assert.Contains("ErrorExecutingServiceMethod", logged);
        Assert.Contains("password=123", logged);
    }

    [Fact]
    public async Task Exception_of_a_service_is_described_with_detailed_errors()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.EnableDetailedErrors = true);
        host.ExpectsErrors = true;
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest { Crash = "the reason" }));
        Assert.Equal("Exception was thrown by handler. InvalidOperationException: the reason", failure.Status.Detail);
    }

    [Fact]
    public async Task Method_without_implementation_is_unimplemented()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnimplementedAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Theory]
    [InlineData("/recsys.test.Echo/Nothing", "Method is unimplemented.")]
    [InlineData("/recsys.test.Nobody/Unary", "Service is unimplemented.")]
    public async Task Unknown_path_is_unimplemented(string path, string message)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        RawClient.Answer answer = await host.Raw().PostAsync(path, RawClient.Frame(new EchoRequest()));
        Assert.Equal((12, message), (answer.Status, answer.Message));
    }
}
