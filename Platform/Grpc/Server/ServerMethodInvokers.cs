using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>The handlers of the four call kinds, each run inside the service's interceptors, the first registered outermost.</summary>
internal static class ServerMethodInvokers
{
    public static UnaryServerMethod<TRequest, TResponse> Intercept<TRequest, TResponse>(
        UnaryServerMethod<TRequest, TResponse> handler, InterceptorRegistration[] interceptors)
        where TRequest : class
        where TResponse : class =>
        interceptors.Reverse().Aggregate(handler, (next, registration) => (request, context) =>
            RunAsync(registration, context, interceptor => interceptor.UnaryServerHandler(request, context, next)));

    public static ClientStreamingServerMethod<TRequest, TResponse> Intercept<TRequest, TResponse>(
        ClientStreamingServerMethod<TRequest, TResponse> handler, InterceptorRegistration[] interceptors)
        where TRequest : class
        where TResponse : class =>
        interceptors.Reverse().Aggregate(handler, (next, registration) => (requests, context) =>
            RunAsync(registration, context, interceptor => interceptor.ClientStreamingServerHandler(requests, context, next)));

    public static ServerStreamingServerMethod<TRequest, TResponse> Intercept<TRequest, TResponse>(
        ServerStreamingServerMethod<TRequest, TResponse> handler, InterceptorRegistration[] interceptors)
        where TRequest : class
        where TResponse : class =>
        interceptors.Reverse().Aggregate(handler, (next, registration) => (request, responses, context) =>
            RunAsync(registration, context, interceptor => interceptor.ServerStreamingServerHandler(request, responses, context, next)));

    public static DuplexStreamingServerMethod<TRequest, TResponse> Intercept<TRequest, TResponse>(
        DuplexStreamingServerMethod<TRequest, TResponse> handler, InterceptorRegistration[] interceptors)
        where TRequest : class
        where TResponse : class =>
        interceptors.Reverse().Aggregate(handler, (next, registration) => (requests, responses, context) =>
            RunAsync(registration, context, interceptor => interceptor.DuplexStreamingServerHandler(requests, responses, context, next)));

    private static async Task<TResult> RunAsync<TResult>(
        InterceptorRegistration registration, ServerCallContext context, Func<Interceptor, Task<TResult>> run)
    {
        Activated<Interceptor> interceptor = registration.Activate(Services(context));
        try
        {
            return await run(interceptor.Instance);
        }
        finally
        {
            await interceptor.ReleaseAsync();
        }
    }

    private static async Task RunAsync(InterceptorRegistration registration, ServerCallContext context, Func<Interceptor, Task> run)
    {
        Activated<Interceptor> interceptor = registration.Activate(Services(context));
        try
        {
            await run(interceptor.Instance);
        }
        finally
        {
            await interceptor.ReleaseAsync();
        }
    }

    private static IServiceProvider Services(ServerCallContext context) => context.GetHttpContext().RequestServices;
}
