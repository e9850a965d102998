using Microsoft.Extensions.DependencyInjection;

namespace Recsys.Client;

/// <summary>Registers the client.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>One <see cref="RecsysClient"/> for the process, made at its first use.</summary>
    /// <param name="configure">Changes the defaults.</param>
    public static IServiceCollection AddRecsysClient(
        this IServiceCollection services, string address, Action<RecsysClientOptions>? configure = null)
    {
        var options = new RecsysClientOptions { Address = address };
        configure?.Invoke(options);
        options.Validate();
        return services.AddSingleton(_ => new RecsysClient(options));
    }
}
