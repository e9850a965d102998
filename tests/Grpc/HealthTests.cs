using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Recsys.Grpc.Tests.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Recsys.Grpc.Tests;

public sealed class HealthTests
{
    private static Task<EchoHost> StartAsync() => EchoHost.StartAsync(
        services: services => services.AddSingleton<HealthServiceImpl>(), map: app => app.MapGrpcService<HealthServiceImpl>());

    [Fact]
    public async Task Check_tells_the_status_set_last_and_not_found_for_unknown_services()
    {
        await using EchoHost host = await StartAsync();
        var health = host.Services.GetRequiredService<HealthServiceImpl>();
        var client = new Health.HealthClient(host.Channel());
        var request = new HealthCheckRequest { Service = "recsys.test.Echo" };
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(async () => await client.CheckAsync(request))).StatusCode);
        health.SetStatus("recsys.test.Echo", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(request)).Status);
        health.SetStatus("recsys.test.Echo", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(request)).Status);
    }

    [Fact]
    public async Task Watch_tells_each_change_until_it_is_cancelled()
    {
        await using EchoHost host = await StartAsync();
        var health = host.Services.GetRequiredService<HealthServiceImpl>();
        using AsyncServerStreamingCall<HealthCheckResponse> watch = new Health.HealthClient(host.Channel()).Watch(new HealthCheckRequest());
        async Task<ServingStatus> NextAsync()
        {
            Assert.True(await watch.ResponseStream.MoveNext());
            return watch.ResponseStream.Current.Status;
        }
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync());
        health.SetStatus("", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await NextAsync());
        health.SetStatus("other", ServingStatus.Serving);
        health.SetStatus("", ServingStatus.Serving);
        health.SetStatus("", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await NextAsync());
        health.ClearAll();
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync());
    }

    [Fact]
    public async Task Watch_does_not_hold_up_a_server_that_stops()
    {
        await using EchoHost host = await StartAsync();
        using AsyncServerStreamingCall<HealthCheckResponse> watch = new Health.HealthClient(host.Channel()).Watch(new HealthCheckRequest());
        Assert.True(await watch.ResponseStream.MoveNext());
        Task stopping = host.StopAsync();
        Assert.True(await watch.ResponseStream.MoveNext());
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext())).StatusCode);
        await stopping;
    }
}
