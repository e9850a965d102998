using Grpc.Core;
using Grpc.Core.Interceptors;
using Recsys.Catalog;

namespace Recsys.Server.Serving;

/// <summary>Turns the product's typed errors into gRPC statuses, in one place for every service.</summary>
internal sealed class FaultInterceptor : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e) when (ToStatus(e, context) is { } status)
        {
            throw new RpcException(status);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception e) when (ToStatus(e, context) is { } status)
        {
            throw new RpcException(status);
        }
    }

    private static Status? ToStatus(Exception exception, ServerCallContext context) => exception switch
    {
        CatalogException e => new Status(Code(e.Fault), e.Message),
        OperationCanceledException when context.Deadline <= DateTime.UtcNow => new Status(StatusCode.DeadlineExceeded, "The deadline passed before the answer was ready."),
        OperationCanceledException => new Status(StatusCode.Cancelled, "The call was cancelled."),
        _ => null,
    };

    private static StatusCode Code(Fault fault) => fault switch
    {
        Fault.InvalidArgument => StatusCode.InvalidArgument,
        Fault.NotFound => StatusCode.NotFound,
        Fault.FailedPrecondition => StatusCode.FailedPrecondition,
        Fault.DataLoss => StatusCode.DataLoss,
        Fault.Unavailable => StatusCode.Unavailable,
        Fault.ResourceExhausted => StatusCode.ResourceExhausted,
        _ => StatusCode.Internal,
    };
}
