using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Retrieval;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

/// <summary>The server, until it is told to stop.</summary>
internal static class ServeVerb
{
    private static readonly Option<string> Listen =
        VerbOption.Of("--listen", "Address and port of gRPC (port 0: any free one).", ServeOptions.DefaultListen);
    private static readonly Option<string?> Http =
        VerbOption.Of<string?>("--http", "Port, or address and port, of JSON over HTTP/1.1; 'off': none (default: the port after gRPC's).");
    private static readonly Option<double> Drain = VerbOption.Of(
        "--drain", "Seconds that calls in flight may go on after a stop; then they are cancelled.", ServeOptions.DefaultDrain);
    private static readonly Option<string> Weights = VerbOption.Of(
        "--weights",
        "Of the models: float32, or bf16, faster and a little rounded, on a GPU or a processor with AVX512-BF16 (auto: bf16 where it can).",
        Arithmetics.Auto);

    private static readonly Option<bool> UntilStdinCloses = VerbOption.Of<bool>(
        "--until-stdin-closes", "Stop when standard input closes, so that the server ends with the process that started it.");

    public static Command Create()
    {
        var command = new Command("serve", "Serve gRPC, and the same services as JSON over HTTP.")
        {
            FolderOptions.Versions, FolderOptions.Redis, FolderOptions.RedisPrefix, Listen, Http, Drain, UntilStdinCloses,
            DeviceOption.Device, Weights,
        };
        command.OnCompute(RunAsync);
        return command;
    }

    private static ServeOptions Options(ParseResult parsed)
    {
        var listen = ServeOptions.ParseEndpoint("--listen", parsed.GetValue(Listen)!);
        return new ServeOptions(
            Path.GetFullPath(parsed.GetValue(FolderOptions.Versions)!),
            parsed.GetValue(FolderOptions.Redis),
            listen,
            ServeOptions.ParseHttp(parsed.GetValue(Http), listen),
            ServeOptions.ParseDrain(parsed.GetValue(Drain)),
            parsed.DeviceOr("cpu"),
            Arithmetics.Of("--weights", parsed.GetValue(Weights)!, parsed.DeviceOr("cpu")));
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var options = Options(parsed);
        await using var stores = await parsed.OpenStoresAsync(FolderOptions.Versions, cancel);
        await using var app = ServingHost.Build(options, stores.Versions, stores.Ids, stores.Live, stores.Interactions);
        var snapshots = app.Services.GetRequiredService<SnapshotHost>();
        try
        {
            await ListenAsync(app, options, cancel);
            ConvolutionNotice.Log(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Recsys.Torch"), Convolutions.Check);
            var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
            using var stop = cancel.Register(lifetime.StopApplication);
            if (parsed.GetValue(UntilStdinCloses))
            {
                _ = Task.Run(() => StopWithInputAsync(lifetime), CancellationToken.None);
            }

            await Task.WhenAny(snapshots.FirstLook, Task.Delay(Timeout.Infinite, lifetime.ApplicationStopping));
            SayWhere(app.Urls, snapshots.Serving, parsed.GetValue(VerbRunner.JsonOption));
            await app.WaitForShutdownAsync(CancellationToken.None);
        }
        finally
        {
            // Native threads that outlive main end the process by SIGSEGV: calls are waited for, and a load, also that of a server
            // whose port was taken.
            await app.StopAsync(CancellationToken.None);
            await app.Services.GetRequiredService<CallDrain>().Ended;
            await snapshots.Ended;
        }

        return new VerbResult(new { stopped = app.Urls.First() }, output => output.WriteLine("stopped"));
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

    /// <summary>One line, as soon as it answers: the process that started this one reads the addresses from it.</summary>
    private static void SayWhere(ICollection<string> addresses, string? version, bool json)
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
