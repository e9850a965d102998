using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>The echo service on a real loopback socket. Disposal fails on errors that were logged and not expected.</summary>
public sealed class EchoHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<IDisposable> _owned = [];

    private EchoHost(WebApplication app, ErrorLog log, EchoProbe probe) => (_app, Log, Probe) = (app, log, probe);

    public ErrorLog Log { get; }

    public EchoProbe Probe { get; }

    public bool ExpectsErrors { get; set; }

    public IServiceProvider Services => _app.Services;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<EchoHost> StartAsync(Action<GrpcServiceOptions>? options = null, Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null, HttpProtocols protocols = HttpProtocols.Http2, string? unixSocket = null, int port = 0, Action<KestrelServerOptions>? kestrel = null,
        Action<ListenOptions>? listen = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        var log = new ErrorLog();
        var probe = new EchoProbe();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(log);
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel?.Invoke(server);
            void Configure(ListenOptions endpoint)
            {
                endpoint.Protocols = protocols;
                listen?.Invoke(endpoint);
            }
            if (unixSocket is null) server.Listen(IPAddress.Loopback, port, Configure);
            else server.ListenUnixSocket(unixSocket, Configure);
        });
        builder.Services.AddSingleton(probe);
        builder.Services.AddGrpc(options ?? (_ => { }));
        services?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoService>();
        map?.Invoke(app);
        await app.StartAsync();
        return new EchoHost(app, log, probe);
    }

    public Task StopAsync() => _app.StopAsync();

    public GrpcChannel Channel(Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions();
        configure?.Invoke(options);
        GrpcChannel channel = GrpcChannel.ForAddress(Address, options);
        _owned.Add(channel);
        return channel;
    }

    public Echo.EchoClient Client(Action<GrpcChannelOptions>? configure = null) => new(Channel(configure));

    public RawClient Raw()
    {
        var client = new RawClient(Address);
        _owned.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        Probe.Released.TrySetResult();
        foreach (IDisposable owned in _owned) owned.Dispose();
        // Calls in flight end before the container that makes their services: disposal alone would leave them one without services.
        await _app.Services.GetRequiredService<IServer>().StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        if (!ExpectsErrors) Assert.True(Log.Errors.Count == 0, string.Join(Environment.NewLine, Log.Errors));
    }
}
