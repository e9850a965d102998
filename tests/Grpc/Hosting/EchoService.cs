using Google.Protobuf;
using Grpc.Core;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>What happened inside the service, for tests to wait on.</summary>
public sealed class EchoProbe
{
    public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A stubborn service goes on until this is set, whatever its token says.</summary>
    public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Stubborn { get; set; }

    public DateTime LastDeadline { get; set; }

    public string? LastPeer { get; set; }

    public int Calls => _calls;

    private int _calls;

    public void Count() => Interlocked.Increment(ref _calls);
}

/// <summary>Does what the request says. Metadata "x-" comes back in headers and trailers.</summary>
public sealed class EchoService(EchoProbe probe) : Echo.EchoBase
{
    public override async Task<EchoResponse> Unary(EchoRequest request, ServerCallContext context)
    {
        await BeginAsync(request, context);
        await FinishAsync(request, context);
        return Respond(request, 0, context);
    }

    public override async Task ServerStream(EchoRequest request, IServerStreamWriter<EchoResponse> responseStream, ServerCallContext context)
    {
        await BeginAsync(request, context);
        for (int i = 0; i < request.Count; i++) await responseStream.WriteAsync(Respond(request, i, context));
        await FinishAsync(request, context);
    }

    public override async Task<EchoResponse> ClientStream(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        using var joined = new MemoryStream();
        int count = 0;
        await foreach (EchoRequest request in requestStream.ReadAllAsync())
        {
            if (count++ == 0) await BeginAsync(request, context);
            joined.Write(request.Payload.Span);
            await FinishAsync(request, context);
        }
        return new EchoResponse { Payload = ByteString.CopyFrom(joined.ToArray()), Index = count };
    }

    public override async Task Duplex(IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoResponse> responseStream, ServerCallContext context)
    {
        int index = 0;
        while (await requestStream.MoveNext())
        {
            if (index == 0) await BeginAsync(requestStream.Current, context);
            await responseStream.WriteAsync(Respond(requestStream.Current, index++, context));
            await FinishAsync(requestStream.Current, context);
        }
    }

    private async Task BeginAsync(EchoRequest request, ServerCallContext context)
    {
        probe.Count();
        probe.LastDeadline = context.Deadline;
        probe.LastPeer = context.Peer;
        var headers = new Metadata();
        foreach (Metadata.Entry entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            headers.Add(entry);
            context.ResponseTrailers.Add(entry);
        }
        if (request.Compress) headers.Add("grpc-internal-encoding-request", "gzip");
        if (headers.Count > 0) await context.WriteResponseHeadersAsync(headers);
    }

    private async Task FinishAsync(EchoRequest request, ServerCallContext context)
    {
        if (request.Crash.Length > 0) throw new InvalidOperationException(request.Crash);
        if (request.FailCode > 0) throw Failure(request);
        if (!request.Wait) return;
        using CancellationTokenRegistration registration = context.CancellationToken.Register(() => probe.Cancelled.TrySetResult());
        probe.Waiting.TrySetResult();
        if (probe.Stubborn) await probe.Released.Task;
        else await Task.Delay(Timeout.Infinite, context.CancellationToken);
    }

    private static RpcException Failure(EchoRequest request)
    {
        var status = new Status((StatusCode)request.FailCode, request.FailMessage);
        return request.FailDetails.IsEmpty
            ? new RpcException(status)
            : new RpcException(status, new Metadata { { "grpc-status-details-bin", request.FailDetails.ToByteArray() } });
    }

    private static EchoResponse Respond(EchoRequest request, int index, ServerCallContext context) => new()
    {
        RemainingMs = context.Deadline == DateTime.MaxValue ? 0 : (long)(context.Deadline - DateTime.UtcNow).TotalMilliseconds,
        // Never more than a damaged request may cost.
        Payload = request.ResponseSize > 0 ? ByteString.CopyFrom(new byte[Math.Min(request.ResponseSize, 10_000_000)]) : request.Payload,
        Text = request.Text,
        Index = index,
    };
}
