using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

internal static class ServeVerb
{
    public static Command Create()
    {
        var versions = new Option<string>("--versions") { Description = "Folder of versions.", DefaultValueFactory = _ => "versions" };
        var redis = new Option<string?>("--redis")
        {
            Description = "Redis connection string (default: RECSYS_REDIS, else a private Redis in the folder of versions).",
        };
        var listen = new Option<string>("--listen")
        {
            Description = "Address and port of gRPC (port 0: any free one).",
            DefaultValueFactory = _ => ServeOptions.DefaultListen,
        };
        var http = new Option<string?>("--http")
        {
            Description = "Port, or address and port, of JSON over HTTP/1.1; 'off': none (default: the port after gRPC's).",
        };
        var drain = new Option<double>("--drain")
        {
            Description = "Seconds that calls in flight may go on when the server is stopped; then they are cancelled.",
            DefaultValueFactory = _ => ServeOptions.DefaultDrain,
        };
        var parent = new Option<bool>("--until-stdin-closes")
        {
            Description = "Stop when standard input closes: a server that dies with whoever started it.",
        };
        var device = DeviceOption.Create();
        var command = new Command("serve", "Serve gRPC, and the same services as JSON over HTTP.")
        {
            versions, redis, ClientVerb.RedisPrefix, listen, http, drain, parent, device,
        };
        command.OnCompute(async (parsed, cancel) =>
        {
            var endpoint = ServeOptions.ParseEndpoint("--listen", parsed.GetValue(listen)!);
            var options = new ServeOptions(
                Path.GetFullPath(parsed.GetValue(versions)!),
                parsed.GetValue(redis),
                endpoint,
                ServeOptions.ParseHttp(parsed.GetValue(http), endpoint),
                ServeOptions.ParseDrain(parsed.GetValue(drain)),
                DeviceOption.Of(parsed, device));
            await using var stores = await Stores.OpenAsync(
                options.Versions, options.Redis, parsed.GetValue(ClientVerb.RedisPrefix), cancel);
            await using var app = ServingHost.Build(options, stores.Versions, stores.Ids);
            var snapshots = app.Services.GetRequiredService<SnapshotHost>();
            try
            {
                await ListenAsync(app, options, cancel);
                ConvolutionNotice.Log(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Recsys.Torch"), Convolutions.Check);
                var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
                using var stop = cancel.Register(lifetime.StopApplication);
                if (parsed.GetValue(parent))
                {
                    _ = Task.Run(() => StopWithInputAsync(lifetime), CancellationToken.None);
                }

                await Task.WhenAny(snapshots.FirstLook, Task.Delay(Timeout.Infinite, lifetime.ApplicationStopping));
                Tell(app.Urls, snapshots.Serving, parsed.GetValue(VerbRunner.JsonOption));
                await app.WaitForShutdownAsync(CancellationToken.None);
            }
            finally
            {
                // Native threads that outlive main end the process by SIGSEGV: calls are waited for, and a load, also that of a server
                // whose port was taken.
                await app.StopAsync(CancellationToken.None);
                await app.Services.GetRequiredService<CallDrain>().Ended;
                await (snapshots.ExecuteTask ?? Task.CompletedTask);
            }

            return new VerbResult(new { stopped = app.Urls.First() }, output => output.WriteLine("stopped"));
        });
        return command;
    }

    private static async Task ListenAsync(WebApplication app, ServeOptions options, CancellationToken cancel)
    {
        try
        {
            await app.StartAsync(cancel);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            string json = options.Http is { } http ? $", JSON on {http}" : "";
            throw CatalogException.Unavailable(
                $"Cannot listen (gRPC on {options.Listen}{json}): {e.Message} "
                + "Stop what is there, or give other ports with --listen and --http.",
                e);
        }
    }

    /// <summary>One line, as soon as it answers: whoever started the process reads the addresses from it.</summary>
    private static void Tell(ICollection<string> addresses, string? version, bool json)
    {
        string grpc = addresses.First();
        string? http = addresses.Skip(1).FirstOrDefault();
        Console.Out.WriteLine(json
            ? JsonSerializer.Serialize(new { listening = grpc, http, version })
            : $"gRPC on {grpc}, {(http is null ? "" : $"JSON on {http}, ")}version {version ?? "none yet"}; Ctrl+C stops");
        Console.Out.Flush();
    }

    private static async Task StopWithInputAsync(IHostApplicationLifetime lifetime)
    {
        var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        while (await input.ReadAsync(buffer, CancellationToken.None) > 0)
        {
        }

        lifetime.StopApplication();
    }
}
