using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>Gives each call its service: from the container if it is registered there, else made for the call and disposed after it.</summary>
internal sealed class ServiceActivator<TService>(IServiceProvider root, GrpcApplication application)
    where TService : class
{
    private static readonly ObjectFactory<TService> Create = ActivatorUtilities.CreateFactory<TService>([]);

    private static readonly bool IsDisposable =
        typeof(IDisposable).IsAssignableFrom(typeof(TService)) || typeof(IAsyncDisposable).IsAssignableFrom(typeof(TService));

    private readonly bool _isRegistered = root.GetService<IServiceProviderIsService>()?.IsService(typeof(TService)) ?? true;

    // A call whose service needs nothing of a scope does not open one.
    private readonly bool _needsScope = !application.IsMadeOfSingletons(typeof(TService));

    public Task<TResult> RunAsync<TState, TResult>(
        ServerCallContext context, TState state, Func<TService, TState, ServerCallContext, Task<TResult>> run)
    {
        IServiceProvider services = _needsScope ? context.GetHttpContext().RequestServices : root;
        if (_isRegistered && services.GetService<TService>() is { } registered) return run(registered, state, context);
        TService created = Create(services, []);
        return IsDisposable ? RunAndReleaseAsync(new Activated<TService>(created, Created: true), context, state, run) : run(created, state, context);
    }

    private static async Task<TResult> RunAndReleaseAsync<TState, TResult>(
        Activated<TService> service, ServerCallContext context, TState state, Func<TService, TState, ServerCallContext, Task<TResult>> run)
    {
        try
        {
            return await run(service.Instance, state, context);
        }
        finally
        {
            await service.ReleaseAsync();
        }
    }
}
