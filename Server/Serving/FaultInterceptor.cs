using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Recsys.Catalog;
using Status = Google.Rpc.Status;

namespace Recsys.Server.Serving;

/// <summary>
/// Turns the product's typed errors into gRPC statuses, in one place for every service; JSON answers are made from the same statuses.
/// Each carries a <see cref="ErrorInfo"/> (domain <c>recsys</c>, the reason in capitals) for programs that look closer, and
/// where calling again helps a <see cref="RetryInfo"/>, where one field of the request is wrong a <see cref="BadRequest"/> that names it.
/// </summary>
internal sealed class FaultInterceptor(CallDrain drain) : Interceptor
{
    /// <summary>Characters of a message: an answer's headers hold about 8 KB, and a client that finds more reports only that.</summary>
    private const int MaxMessage = 500;

    /// <summary>What an unavailable part needs: a new version is loaded within two seconds, a private Redis is back within one.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Answer(context, () => continuation(request, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Answer(context, () => Done(continuation(request, responseStream, context)));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Answer(context, () => continuation(requestStream, context));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Answer(context, () => Done(continuation(requestStream, responseStream, context)));

    private async Task<T> Answer<T>(ServerCallContext context, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (ToStatus(e, context) is { } status)
        {
            if (status.Code == (int)Code.ResourceExhausted && status.GetDetail<RetryInfo>() is { } retry)
            {
                // What official clients wait before they try again by themselves (gRPC proposal A6). Not with UNAVAILABLE: another server
                // may answer at once.
                context.ResponseTrailers.Add("grpc-retry-pushback-ms", $"{(long)retry.RetryDelay.ToTimeSpan().TotalMilliseconds}");
            }

            throw status.ToRpcException();
        }
    }

    private static async Task<bool> Done(Task call)
    {
        await call;
        return true;
    }

    private Status? ToStatus(Exception exception, ServerCallContext context) => exception switch
    {
        CatalogException e => Of( // a fault has the name of its code
            System.Enum.Parse<Code>(e.Fault.ToString()), e.Message, retryAfter: e.RetryAfter, field: e.Field),
        OperationCanceledException when context.Deadline <= DateTime.UtcNow
            => Of(Code.DeadlineExceeded, "The deadline passed before the answer was ready."),
        // Whatever a cut call fails with – a write into a closed stream, say – the cut is the cause.
        _ when drain.IsCut && context.CancellationToken.IsCancellationRequested => Of(
            Code.Unavailable,
            "The server is stopping and cut this call off. Call again: another server, or this one once it is back.",
            "SERVER_STOPPING"),
        OperationCanceledException => Of(Code.Cancelled, "The call was cancelled."),
        IOException { HResult: 28 or 122 } e => Of(
            Code.ResourceExhausted, $"The server's disk is full, so nothing was acknowledged: {e.Message} Make room and call again."),
        _ => null,
    };

    private static Status Of(Code code, string message, string? reason = null, TimeSpan? retryAfter = null, string? field = null)
    {
        string shown = message.Length <= MaxMessage ? message : $"{message[..(MaxMessage - 150)]} … {message[^145..]}";
        var info = new ErrorInfo { Domain = "recsys", Reason = reason ?? NameOf(code) };
        var status = new Status { Code = (int)code, Message = shown, Details = { Any.Pack(info) } };
        if ((retryAfter ?? (code == Code.Unavailable ? RetryAfter : null)) is { } after)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(after) }));
        }

        if (field is not null)
        {
            var violation = new BadRequest.Types.FieldViolation { Field = field, Description = shown };
            status.Details.Add(Any.Pack(new BadRequest { FieldViolations = { violation } }));
        }

        return status;
    }

    /// <summary>NotFound: NOT_FOUND, as the status is written everywhere but in .NET.</summary>
    private static string NameOf(Code code) =>
        string.Concat(code.ToString()
            .Select((letter, i) => i > 0 && char.IsUpper(letter) ? $"_{letter}" : $"{char.ToUpperInvariant(letter)}"));
}
