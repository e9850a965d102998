using Grpc.Core;

namespace Grpc.AspNetCore.Server;

/// <summary>Reads the request, runs the handler, writes the response: one function for each call kind.</summary>
internal static class ServerCallHandlers
{
    public static Func<HttpContextServerCallContext, Task> Unary<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
    {
        return call =>
        {
            // Most requests are there when their call starts, and many services answer at once: nothing waits then.
            ValueTask<TRequest> reading = call.Reader.ReadSingleAsync(method.RequestMarshaller.ContextualDeserializer, call.DeadlineToken);
            if (!reading.IsCompletedSuccessfully) return ReadAsync(reading, call);
            Task<TResponse> running = handler(reading.Result, call);
            if (!running.IsCompletedSuccessfully) return AnswerAsync(running, call);
            call.WriteResponse(running.Result ?? throw NoResponse(), method.ResponseMarshaller);
            return Task.CompletedTask;
        };

        async Task ReadAsync(ValueTask<TRequest> reading, HttpContextServerCallContext call) => await AnswerAsync(handler(await reading, call), call);

        async Task AnswerAsync(Task<TResponse> running, HttpContextServerCallContext call) =>
            call.WriteResponse(await running ?? throw NoResponse(), method.ResponseMarshaller);
    }

    public static Func<HttpContextServerCallContext, Task> ClientStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class => async call =>
        {
            var requests = new RequestStream<TRequest>(call, method.RequestMarshaller);
            TResponse response = await handler(requests, call) ?? throw NoResponse();
            call.WriteResponse(response, method.ResponseMarshaller);
        };

    public static Func<HttpContextServerCallContext, Task> ServerStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class => async call =>
        {
            TRequest request = await call.Reader.ReadSingleAsync(method.RequestMarshaller.ContextualDeserializer, call.DeadlineToken);
            await handler(request, new ResponseStream<TResponse>(call, method.ResponseMarshaller), call);
        };

    public static Func<HttpContextServerCallContext, Task> DuplexStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class => call => handler(
            new RequestStream<TRequest>(call, method.RequestMarshaller), new ResponseStream<TResponse>(call, method.ResponseMarshaller), call);

    private static RpcException NoResponse() => new(new Status(StatusCode.Cancelled, "No message returned from method."));
}
