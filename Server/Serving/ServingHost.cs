using Google.Protobuf.Reflection;
using Google.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Recsys.Catalog.Ports;
using Recsys.Diffusion.Service;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Service;
using Recsys.Retrieval;
using Recsys.Retrieval.Service;
using Recsys.V1;

namespace Recsys.Server.Serving;

/// <summary>Composes the server: ports, loaders, snapshot, services, answered over gRPC and as JSON over HTTP.</summary>
internal static class ServingHost
{
    /// <summary>How often watchers of the health service are told; a Check looks for itself.</summary>
    private static readonly TimeSpan HealthPeriod = TimeSpan.FromSeconds(1);

    public static WebApplication Build(
        ServeOptions options, IVersionStore versions, ISemanticIdStore ids, ILiveValues live, IInteractions interactions)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddSimpleConsole(console => { console.SingleLine = true; console.TimestampFormat = "HH:mm:ss "; });
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        // Why a server does not start is told once, by the verb that starts it; that no version serves is no error, and asked every second.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical)
            .AddFilter("Microsoft.AspNetCore.Server.Kestrel", level => level is >= LogLevel.Warning and < LogLevel.Critical);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Two ports: without TLS there is no negotiation, and a port that allows HTTP/1.1 serves nothing else.
            kestrel.Listen(options.Listen, listen => listen.Protocols = HttpProtocols.Http2);
            if (options.Http is { } http)
            {
                kestrel.Listen(http, listen => listen.Protocols = HttpProtocols.Http1);
            }

            // Of JSON alone: gRPC calls have their own limit, below.
            kestrel.Limits.MaxRequestBodySize = ServeOptions.MaxJsonBytes;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain + ServeOptions.CancelTime);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<CallDrain>();
        builder.Services.AddSingleton(services => new AnswerQueue(services.GetRequiredService<TimeProvider>()));

        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(versions);
        builder.Services.AddSingleton(ids);
        builder.Services.AddSingleton(live);
        builder.Services.AddSingleton(interactions);
        builder.Services.AddSingleton<IVersionPartLoader>(new CodebookLoader(options.Device));
        builder.Services.AddSingleton<IVersionPartLoader>(new RecommenderLoader(options.Device, arithmetic: options.Arithmetic));
        builder.Services.AddSingleton<IVersionPartLoader>(new PainterLoader(options.Device));
        builder.Services.AddSingleton<SnapshotHost>();
        builder.Services.AddSingleton<ISnapshots>(services => services.GetRequiredService<SnapshotHost>());
        builder.Services.AddHostedService(services => services.GetRequiredService<SnapshotHost>());
        builder.Services.AddGrpcHealthChecks().AddCheck<ServingHealth>("serving");
        builder.Services.Configure<HealthCheckPublisherOptions>(health => (health.Delay, health.Period) = (TimeSpan.Zero, HealthPeriod));
        builder.Services.AddGrpcReflection();
        builder.Services
            .AddGrpc(grpc =>
            {
                grpc.MaxReceiveMessageSize = ServeOptions.MaxRequestBytes;
                grpc.Interceptors.Add<FaultInterceptor>();
            })
            .AddJsonTranscoding(json =>
            {
                json.JsonSettings.WriteInt64sAsStrings = true; // a JavaScript number has 53 bits
                json.TypeRegistry = TypeRegistry.FromMessages(ErrorInfo.Descriptor);
            });

        var app = builder.Build();
        app.Use(app.Services.GetRequiredService<CallDrain>().RunAsync);
        app.Use(new StrictJson(
            RetrievalReflection.Descriptor, ItemsReflection.Descriptor, EventsReflection.Descriptor, QuantizerReflection.Descriptor,
            CreativeReflection.Descriptor, VersionsReflection.Descriptor).RunAsync);
        app.MapGrpcService<QuantizerService>();
        app.MapGrpcService<ItemsService>();
        app.MapGrpcService<RetrievalService>();
        app.MapGrpcService<EventsService>();
        app.MapGrpcService<CreativeService>();
        app.MapGrpcService<VersionsService>();
        app.MapGrpcHealthChecksService();
        app.MapGrpcReflectionService();
        return app;
    }
}
