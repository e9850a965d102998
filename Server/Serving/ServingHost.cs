using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Recsys.Catalog.Ports;
using Recsys.Diffusion;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Service;
using Recsys.Retrieval;
using Recsys.Retrieval.Service;

namespace Recsys.Server.Serving;

/// <summary>Composes the gRPC server: ports, loaders, snapshot, services.</summary>
internal static class ServingHost
{
    public static WebApplication Build(ServeOptions options, IVersionStore versions, ISemanticIdStore ids)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddSimpleConsole(console => { console.SingleLine = true; console.TimestampFormat = "HH:mm:ss "; });
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(options.Listen, listen => listen.Protocols = HttpProtocols.Http2));

        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(versions);
        builder.Services.AddSingleton(ids);
        builder.Services.AddSingleton<IVersionPartLoader, CodebookLoader>();
        builder.Services.AddSingleton<IVersionPartLoader>(new RecommenderLoader());
        builder.Services.AddSingleton<IVersionPartLoader, PainterLoader>();
        builder.Services.AddSingleton<SnapshotHost>();
        builder.Services.AddSingleton<ISnapshots>(services => services.GetRequiredService<SnapshotHost>());
        builder.Services.AddHostedService(services => services.GetRequiredService<SnapshotHost>());
        builder.Services.AddSingleton<HealthServiceImpl>();
        builder.Services.AddGrpcReflection();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = ServeOptions.MaxRequestBytes;
            grpc.Interceptors.Add<FaultInterceptor>();
        });

        var app = builder.Build();
        app.MapGrpcService<QuantizerService>();
        app.MapGrpcService<RetrievalService>();
        app.MapGrpcService<CreativeService>();
        app.MapGrpcService<VersionsService>();
        app.MapGrpcService<HealthServiceImpl>();
        app.MapGrpcReflectionService();

        // Healthy means: answers from a version. A load balancer sends nothing before that.
        var health = app.Services.GetRequiredService<HealthServiceImpl>();
        health.SetStatus("", HealthCheckResponse.Types.ServingStatus.NotServing);
        app.Services.GetRequiredService<SnapshotHost>().Swapped += _ => health.SetStatus("", HealthCheckResponse.Types.ServingStatus.Serving);
        return app;
    }
}
