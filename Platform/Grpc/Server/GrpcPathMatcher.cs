using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Finds the endpoint of a call by one look at its path, before routing, which then leaves it alone. Routing itself would weigh the catch-all
/// endpoints that answer UNIMPLEMENTED for each call. What is not found here goes through routing as ever.
/// </summary>
internal sealed class GrpcPathMatcher(EndpointDataSource source) : IStartupFilter
{
    private sealed record Known(FrozenDictionary<string, RouteEndpoint> Endpoints, IChangeToken Changed);

    private Known? _known;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(rest => http =>
        {
            if (http.Request.Path.Value is { } path && Endpoints().TryGetValue(path, out RouteEndpoint? endpoint)
                && HttpMethods.IsPost(http.Request.Method) && http.Features[typeof(IEndpointFeature)] is IEndpointFeature { Endpoint: null } feature)
            {
                feature.Endpoint = endpoint;
            }
            return rest(http);
        });
        next(app);
    };

    private FrozenDictionary<string, RouteEndpoint> Endpoints()
    {
        Known? known = Volatile.Read(ref _known);
        if (known is null || known.Changed.HasChanged)
        {
            // The token comes first: a change while the endpoints are read is then seen at the next call.
            IChangeToken changed = source.GetChangeToken();
            known = new Known(Read(), changed);
            Volatile.Write(ref _known, known);
        }
        return known.Endpoints;
    }

    /// <summary>Those whose path says everything: with host rules, size limits, a prefix or two endpoints of one path, routing decides.</summary>
    private FrozenDictionary<string, RouteEndpoint> Read() => source.Endpoints.OfType<RouteEndpoint>()
        .Where(endpoint => endpoint.RoutePattern.Parameters.Count == 0 && endpoint.RoutePattern.RawText is not null)
        .GroupBy(endpoint => $"/{endpoint.RoutePattern.RawText!.TrimStart('/')}", StringComparer.OrdinalIgnoreCase)
        .Where(same => same.Count() == 1 && same.Single() is var only
            && only.Metadata.GetMetadata<GrpcMethodMetadata>() is { } grpc
            && grpc.Method.FullName == same.Key
            && only.Metadata.GetMetadata<IHostMetadata>() is null
            && only.Metadata.GetMetadata<IRequestSizeLimitMetadata>() is null)
        .ToFrozenDictionary(same => same.Key, same => same.Single(), StringComparer.Ordinal);
}
