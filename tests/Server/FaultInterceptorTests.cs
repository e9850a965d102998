using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Recsys.Catalog;
using Recsys.Server.Serving;

namespace Recsys.Server.Tests;

/// <summary>What a handler throws, as the client sees it. Of itself gRPC would answer UNKNOWN to all of it.</summary>
public sealed class FaultInterceptorTests
{
    [Fact]
    public Task A_cancelled_call_is_CANCELLED() => Answers(StatusCode.Cancelled, new OperationCanceledException(), DateTime.MaxValue);

    [Fact]
    public Task A_call_whose_deadline_passed_is_DEADLINE_EXCEEDED() =>
        Answers(StatusCode.DeadlineExceeded, new TaskCanceledException(), DateTime.UtcNow.AddSeconds(-1));

    [Theory]
    [InlineData(Fault.InvalidArgument, StatusCode.InvalidArgument)]
    [InlineData(Fault.NotFound, StatusCode.NotFound)]
    [InlineData(Fault.FailedPrecondition, StatusCode.FailedPrecondition)]
    [InlineData(Fault.DataLoss, StatusCode.DataLoss)]
    [InlineData(Fault.Unavailable, StatusCode.Unavailable)]
    [InlineData(Fault.ResourceExhausted, StatusCode.ResourceExhausted)]
    public Task A_typed_error_has_its_status(Fault fault, StatusCode code) =>
        Answers(code, new CatalogException(fault, "why"), DateTime.MaxValue);

    [Theory]
    [InlineData(Fault.Unavailable, 1.0)]
    [InlineData(Fault.NotFound, null)]
    public async Task Where_calling_again_helps_the_status_says_when(Fault fault, double? seconds)
    {
        var thrown = new CatalogException(fault, "why");
        var status = (await Assert.ThrowsAsync<RpcException>(() => CallAsync(thrown, DateTime.MaxValue))).GetRpcStatus()!;
        Assert.Equal("recsys", status.GetDetail<ErrorInfo>()!.Domain);
        Assert.Equal(seconds, status.GetDetail<RetryInfo>()?.RetryDelay.ToTimeSpan().TotalSeconds);
    }

    [Fact]
    public async Task Where_too_much_is_asked_at_once_the_status_says_how_long_that_will_last()
    {
        var thrown = CatalogException.Busy("why", TimeSpan.FromMilliseconds(37));
        var failure = await Assert.ThrowsAsync<RpcException>(() => CallAsync(thrown, DateTime.MaxValue));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Equal(TimeSpan.FromMilliseconds(37), failure.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan());
    }

    [Fact]
    public async Task A_fault_of_ours_stays_what_it_is() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => CallAsync(new InvalidOperationException("ours"), DateTime.MaxValue));

    private static async Task Answers(StatusCode code, Exception thrown, DateTime deadline) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(() => CallAsync(thrown, deadline))).StatusCode);

    private static async Task CallAsync(Exception thrown, DateTime deadline)
    {
        using var drain = new CallDrain(
            new ServeOptions("versions", null, new(0, 0), null, TimeSpan.FromSeconds(1)), new Running(), TimeProvider.System);
        await new FaultInterceptor(drain).UnaryServerHandler<string, string>("", new Call(deadline), (_, _) => throw thrown);
    }

    private sealed class Running : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication()
        {
        }
    }

    private sealed class Call(DateTime deadline) : ServerCallContext
    {
        protected override string MethodCore => "/x/y";

        protected override string HostCore => "";

        protected override string PeerCore => "";

        protected override DateTime DeadlineCore => deadline;

        protected override Metadata RequestHeadersCore { get; } = [];

        protected override CancellationToken CancellationTokenCore => default;

        protected override Metadata ResponseTrailersCore { get; } = [];

        protected override Grpc.Core.Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => new("", []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
            throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
