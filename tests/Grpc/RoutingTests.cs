using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>Calls find their endpoint by one look at the path; what needs more than the path still goes through routing.</summary>
public sealed class RoutingTests
{
    private static readonly byte[] Empty = RawClient.Frame(new EchoRequest());

    [Theory]
    [InlineData("/recsys.test.Echo/Unary", 0)]
    [InlineData("/recsys.test.echo/unary", 0)]
    [InlineData("/recsys.test.Echo/Other", 12)]
    [InlineData("/other.Service/Unary", 12)]
    public async Task Path_decides(string path, int status)
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Assert.Equal(status, (await host.Raw().PostAsync(path, Empty)).Status);
    }

    [Fact]
    public async Task Endpoints_metadata_reaches_middleware_before_the_service()
    {
        string? method = null;
        await using EchoHost host = await EchoHost.StartAsync(map: app => app.Use(next => http =>
        {
            method = http.GetEndpoint()?.Metadata.GetMetadata<global::Grpc.AspNetCore.Server.GrpcMethodMetadata>()?.Method.Name;
            return next(http);
        }));
        await host.Client().UnaryAsync(new EchoRequest());
        Assert.Equal("Unary", method);
    }

    private sealed class Guarded : Guard.GuardBase
    {
        public override Task<EchoResponse> Pass(EchoRequest request, ServerCallContext context) => Task.FromResult(new EchoResponse());
    }

    [Fact]
    public async Task Host_rules_and_prefixes_of_endpoints_hold()
    {
        await using EchoHost elsewhere = await EchoHost.StartAsync(map: app => app.MapGrpcService<Guarded>().RequireHost("elsewhere.example"));
        Assert.Equal(12, (await elsewhere.Raw().PostAsync("/recsys.test.Guard/Pass", Empty)).Status);
        await using EchoHost prefixed = await EchoHost.StartAsync(map: app => app.MapGroup("/v1").MapGrpcService<Guarded>());
        Assert.Equal(0, (await prefixed.Raw().PostAsync("/v1/recsys.test.Guard/Pass", Empty)).Status);
        Assert.Equal(12, (await prefixed.Raw().PostAsync("/recsys.test.Guard/Pass", Empty)).Status);
    }
}
