using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>Gives each call its service: from the container if it is registered there, else made for the call and disposed after it.</summary>
internal sealed class ServiceActivator<TService>
    where TService : class
{
    private static readonly ObjectFactory<TService> Create = ActivatorUtilities.CreateFactory<TService>([]);

    public async Task<TResult> RunAsync<TState, TResult>(
        ServerCallContext context, TState state, Func<TService, TState, ServerCallContext, Task<TResult>> run)
    {
        IServiceProvider services = context.GetHttpContext().RequestServices;
        var registered = services.GetService<TService>();
        var service = new Activated<TService>(registered ?? Create(services, []), Created: registered is null);
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
