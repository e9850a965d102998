using System.Reflection;
using Grpc.Core;

namespace Grpc.AspNetCore.Server;

internal delegate Task<TResponse> UnaryMethodOf<TService, TRequest, TResponse>(TService service, TRequest request, ServerCallContext context);

internal delegate Task<TResponse> ClientStreamingMethodOf<TService, TRequest, TResponse>(
    TService service, IAsyncStreamReader<TRequest> requests, ServerCallContext context);

internal delegate Task ServerStreamingMethodOf<TService, TRequest, TResponse>(
    TService service, TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context);

internal delegate Task DuplexStreamingMethodOf<TService, TRequest, TResponse>(
    TService service, IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, ServerCallContext context);

/// <summary>Binds the methods of service class TService: each call gets an instance from the container, or one made for it.</summary>
internal sealed class ServiceMethods<TService>(MethodOptions options, ServiceActivator<TService> activator) : ServiceBinderBase
    where TService : class
{
    public List<(IMethod Method, Func<HttpContextServerCallContext, Task> Handler)> Bound { get; } = [];

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<UnaryMethodOf<TService, TRequest, TResponse>>(method, typeof(TRequest), typeof(ServerCallContext));
        Bound.Add((method, ServerCallHandlers.Unary(method, ServerMethodInvokers.Intercept<TRequest, TResponse>(
            (request, context) => activator.RunAsync(context, (invoke, request), static (service, state, context) => state.invoke(service, state.request, context)),
            options.Interceptors))));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<ClientStreamingMethodOf<TService, TRequest, TResponse>>(method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
        Bound.Add((method, ServerCallHandlers.ClientStreaming(method, ServerMethodInvokers.Intercept<TRequest, TResponse>(
            (requests, context) => activator.RunAsync(context, (invoke, requests), static (service, state, context) => state.invoke(service, state.requests, context)),
            options.Interceptors))));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<ServerStreamingMethodOf<TService, TRequest, TResponse>>(
            method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        Bound.Add((method, ServerCallHandlers.ServerStreaming(method, ServerMethodInvokers.Intercept<TRequest, TResponse>(
            (request, responses, context) => activator.RunAsync(context, (invoke, request, responses),
                static async (service, state, context) => { await state.invoke(service, state.request, state.responses, context); return true; }),
            options.Interceptors))));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Open<DuplexStreamingMethodOf<TService, TRequest, TResponse>>(
            method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        Bound.Add((method, ServerCallHandlers.DuplexStreaming(method, ServerMethodInvokers.Intercept<TRequest, TResponse>(
            (requests, responses, context) => activator.RunAsync(context, (invoke, requests, responses),
                static async (service, state, context) => { await state.invoke(service, state.requests, state.responses, context); return true; }),
            options.Interceptors))));
    }

    /// <summary>The method of the service class, as a delegate whose first argument is the instance.</summary>
    private static TDelegate Open<TDelegate>(IMethod method, params Type[] parameters)
        where TDelegate : Delegate
    {
        MethodInfo implementation = typeof(TService).GetMethod(method.Name, BindingFlags.Public | BindingFlags.Instance, parameters)
            ?? throw new InvalidOperationException($"Service {typeof(TService)} has no public method '{method.Name}' for '{method.FullName}'.");
        return implementation.CreateDelegate<TDelegate>();
    }
}
