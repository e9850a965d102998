using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class CancellationTests
{
    [Fact]
    public async Task Token_cancels_a_unary_call_on_both_sides()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using AsyncUnaryCall<EchoResponse> call = host.Client().UnaryAsync(new EchoRequest { Wait = true }, cancellationToken: cancellation.Token);
        await host.Probe.Waiting.Task;
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
        await host.Probe.Cancelled.Task;
    }

    [Fact]
    public async Task Stream_is_cancelled_in_the_middle()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoResponse> call = host.Client().ServerStream(new EchoRequest { Count = 3, Wait = true }, cancellationToken: cancellation.Token);
        for (int i = 0; i < 3; i++) Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> next = call.ResponseStream.MoveNext();
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
        await host.Probe.Cancelled.Task;
    }

    [Fact]
    public async Task Disposing_a_call_cancels_it_on_the_server()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        AsyncServerStreamingCall<EchoResponse> call = host.Client().ServerStream(new EchoRequest { Count = 1, Wait = true });
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        await host.Probe.Cancelled.Task;
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Disposing_the_channel_cancels_its_calls()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        GrpcChannel channel = host.Channel();
        using AsyncUnaryCall<EchoResponse> call = new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Wait = true });
        await host.Probe.Waiting.Task;
        channel.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
        await host.Probe.Cancelled.Task;
    }

    [Fact]
    public async Task Service_that_never_stops_writing_is_stopped_when_its_client_goes()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        AsyncServerStreamingCall<EchoResponse> call = host.Client().ServerStream(new EchoRequest { Count = int.MaxValue, ResponseSize = 1000 });
        for (int i = 0; i < 10; i++) Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        // The host's disposal waits for the service.
    }

    [Fact]
    public async Task Cancellation_can_be_asked_for_as_operation_canceled()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using AsyncUnaryCall<EchoResponse> call = host.Client(options => options.ThrowOperationCanceledOnCancellation = true)
            .UnaryAsync(new EchoRequest { Wait = true }, cancellationToken: cancellation.Token);
        await host.Probe.Waiting.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await call);
    }

    [Fact]
    public async Task Client_stream_sees_the_status_of_a_server_that_stops_reading()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> call = host.Client().ClientStream();
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await call.RequestStream.WriteAsync(new EchoRequest { FailCode = 9, FailMessage = "enough" });
            while (true) await call.RequestStream.WriteAsync(new EchoRequest { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[1000]) });
        });
        Assert.Equal((StatusCode.FailedPrecondition, "enough"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
    }
}
