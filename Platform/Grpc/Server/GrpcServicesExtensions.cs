using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grpc.AspNetCore.Server
{
    using Microsoft.Extensions.DependencyInjection;

    /// <summary>Goes on configuring gRPC.</summary>
    public interface IGrpcServerBuilder
    {
        IServiceCollection Services { get; }
    }

    internal sealed record GrpcServerBuilder(IServiceCollection Services) : IGrpcServerBuilder;

    /// <summary>There when AddGrpc was called; remembers what one application has mapped.</summary>
    /// <param name="services">All that the container was made of.</param>
    internal sealed class GrpcApplication(IServiceCollection services)
    {
        public bool UnknownServicesMapped { get; set; }

        public List<Type> ServiceTypes { get; } = [];

        /// <summary>True when the type is a singleton, or is not registered and its only constructor takes nothing but singletons.</summary>
        public bool IsMadeOfSingletons(Type type)
        {
            if (LifetimeOf(type) is { } lifetime) return lifetime == ServiceLifetime.Singleton;
            return type.GetConstructors() is [var constructor]
                && constructor.GetParameters().All(parameter => parameter.CustomAttributes.All(attribute => attribute.AttributeType != typeof(FromKeyedServicesAttribute))
                    && LifetimeOf(parameter.ParameterType) == ServiceLifetime.Singleton);
        }

        /// <summary>Of the registration that counts; null when there is none.</summary>
        private ServiceLifetime? LifetimeOf(Type type) =>
            services.LastOrDefault(descriptor => !descriptor.IsKeyedService
                && (descriptor.ServiceType == type || (type.IsGenericType && descriptor.ServiceType == type.GetGenericTypeDefinition())))?.Lifetime;
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    public static class GrpcServicesExtensions
    {
        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services)
        {
            ArgumentNullException.ThrowIfNull(services);
            services.AddRouting();
            services.AddOptions();
            services.AddLogging();
            services.TryAddSingleton(new GrpcApplication(services));
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, GrpcPathMatcher>());
            return new GrpcServerBuilder(services);
        }

        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services, Action<GrpcServiceOptions> configureOptions)
        {
            ArgumentNullException.ThrowIfNull(services);
            services.Configure(configureOptions);
            return services.AddGrpc();
        }

        /// <summary>Options of one service; what it does not set comes from those of all.</summary>
        public static IGrpcServerBuilder AddServiceOptions<TService>(this IGrpcServerBuilder grpcBuilder, Action<GrpcServiceOptions<TService>> configure)
            where TService : class
        {
            ArgumentNullException.ThrowIfNull(grpcBuilder);
            grpcBuilder.Services.Configure(configure);
            return grpcBuilder;
        }
    }
}
