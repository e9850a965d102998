using System.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server
{
    /// <summary>On each endpoint of a service: which method it is.</summary>
    public sealed class GrpcMethodMetadata(Type serviceType, IMethod method)
    {
        public Type ServiceType { get; } = serviceType;

        public IMethod Method { get; } = method;
    }
}

namespace Microsoft.AspNetCore.Builder
{
    /// <summary>Conventions, such as authorization, for all endpoints of a service.</summary>
    public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
    {
        private readonly List<IEndpointConventionBuilder> _endpoints;

        internal GrpcServiceEndpointConventionBuilder(List<IEndpointConventionBuilder> endpoints) => _endpoints = endpoints;

        public void Add(Action<EndpointBuilder> convention) => _endpoints.ForEach(endpoint => endpoint.Add(convention));

        public void Finally(Action<EndpointBuilder> finallyConvention) => _endpoints.ForEach(endpoint => endpoint.Finally(finallyConvention));
    }

    public static class GrpcEndpointRouteBuilderExtensions
    {
        /// <summary>Serves the methods of a generated service base's implementation. Instances come from the container for each call.</summary>
        public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
            where TService : class
        {
            ArgumentNullException.ThrowIfNull(builder);
            IServiceProvider services = builder.ServiceProvider;
            GrpcApplication application = services.GetService<GrpcApplication>()
                ?? throw new InvalidOperationException("gRPC's services are missing: call services.AddGrpc() before MapGrpcService.");
            var options = new MethodOptions(
                services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value,
                services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>().Value);
            var requests = new GrpcRequest(
                services.GetService<TimeProvider>() ?? TimeProvider.System,
                services.GetRequiredService<ILoggerFactory>().CreateLogger(GrpcLog.Category));
            var methods = new ServiceMethods<TService>(options, new ServiceActivator<TService>(services, application));
            Bind<TService>(methods);

            List<IEndpointConventionBuilder> endpoints = [.. methods.Bound.Select(bound => builder
                .Map(bound.Method.FullName, requests.Handle(bound.Method, options, bound.Handler))
                .WithMetadata(new HttpMethodMetadata(["POST"]), new GrpcMethodMetadata(typeof(TService), bound.Method))
                .WithDisplayName($"gRPC - {bound.Method.FullName}"))];
            foreach (string serviceName in methods.Bound.Select(bound => bound.Method.ServiceName).Distinct())
            {
                endpoints.Add(MapUnimplemented(builder, $"{serviceName}/{{unimplementedMethod}}", requests.Unimplemented("Method")));
            }
            application.ServiceTypes.Add(typeof(TService));
            if (!options.IgnoreUnknownServices && !application.UnknownServicesMapped)
            {
                application.UnknownServicesMapped = true;
                MapUnimplemented(builder, "{unimplementedService}/{unimplementedMethod}", requests.Unimplemented("Service"));
            }
            return new GrpcServiceEndpointConventionBuilder(endpoints);
        }

        private static void Bind<TService>(ServiceBinderBase binder)
        {
            BindServiceMethodAttribute? attribute = null;
            for (Type? type = typeof(TService); type is not null && attribute is null; type = type.BaseType)
            {
                attribute = type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false);
            }
            if (attribute is null)
            {
                throw new InvalidOperationException($"{typeof(TService)} derives from no generated service base, so its methods are unknown.");
            }
            MethodInfo bind = attribute.BindType.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static).Single(
                method => method.Name == attribute.BindMethodName && method.GetParameters() is [{ } first, _] && first.ParameterType == typeof(ServiceBinderBase));
            bind.Invoke(null, [binder, null]);
        }

        private static IEndpointConventionBuilder MapUnimplemented(IEndpointRouteBuilder builder, string pattern, RequestDelegate answer) => builder
            .Map(RoutePatternFactory.Parse(pattern, defaults: null, parameterPolicies: new { unimplementedMethod = new GrpcRequestConstraint() }), answer)
            .WithMetadata(new HttpMethodMetadata(["POST"]))
            .WithDisplayName($"gRPC - unimplemented {pattern}");

        /// <summary>Leaves requests that are not gRPC to other endpoints.</summary>
        private sealed class GrpcRequestConstraint : IRouteConstraint
        {
            public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
                httpContext is null || Headers.IsGrpcContentType(httpContext.Request.ContentType);
        }
    }
}
