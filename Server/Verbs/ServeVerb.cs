using System.CommandLine;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Recsys.Server.Serving;
using Recsys.Server.Terminal;

namespace Recsys.Server.Verbs;

internal static class ServeVerb
{
    public static Command Create()
    {
        var versions = new Option<string>("--versions") { Description = "Folder of versions.", DefaultValueFactory = _ => "versions" };
        var redis = new Option<string?>("--redis") { Description = "Redis connection string (default: RECSYS_REDIS, else a private Redis in the folder of versions)." };
        var listen = new Option<string>("--listen") { Description = "Address and port of gRPC (port 0: any free one).", DefaultValueFactory = _ => ServeOptions.DefaultListen };
        var parent = new Option<bool>("--until-stdin-closes") { Description = "Stop when standard input closes: a server that dies with whoever started it." };
        var command = new Command("serve", "Serve gRPC.") { versions, redis, listen, parent };
        command.OnRun(async (parsed, cancel) =>
        {
            var options = new ServeOptions(Path.GetFullPath(parsed.GetValue(versions)!), parsed.GetValue(redis), ServeOptions.ParseListen(parsed.GetValue(listen)!));
            await using var stores = await Stores.OpenAsync(options.Versions, options.Redis, cancel);
            await using var app = ServingHost.Build(options, stores.Versions, stores.Ids);
            await app.StartAsync(cancel);
            var snapshots = app.Services.GetRequiredService<SnapshotHost>();
            await snapshots.FirstLook.WaitAsync(cancel);
            string address = app.Urls.First();
            if (parsed.GetValue(VerbRunner.JsonOption))
            {
                // One line, as soon as it answers: whoever started the process reads the address from it.
                Console.Out.WriteLine(JsonSerializer.Serialize(new { listening = address, version = snapshots.Serving }));
                Console.Out.Flush();
            }
            else
            {
                Console.Out.WriteLine($"gRPC on {address}, version {snapshots.Serving ?? "none yet"}; Ctrl+C stops");
            }

            var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
            if (parsed.GetValue(parent))
            {
                _ = Task.Run(
                    async () =>
                    {
                        var input = Console.OpenStandardInput();
                        var buffer = new byte[256];
                        while (await input.ReadAsync(buffer, CancellationToken.None) > 0)
                        {
                        }

                        lifetime.StopApplication();
                    },
                    CancellationToken.None);
            }

            using var stop = cancel.Register(lifetime.StopApplication);
            await app.WaitForShutdownAsync(CancellationToken.None);
            return new VerbResult(new { stopped = address }, output => output.WriteLine("stopped"));
        });
        return command;
    }
}
