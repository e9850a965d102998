using System.Diagnostics;
using System.Text.Json;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Recsys.Cli.Terminal;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>SIGTERM while a picture is drawn: the call ends, or is cut off with a status, and the process leaves with 0.</summary>
public sealed class SigtermTests(TrainedVersion trained) : IClassFixture<TrainedVersion>
{
    /// <summary>A hang is a failure, not a stuck run: far beyond what any of it takes.</summary>
    private const int Patience = 180_000;

    [Fact(Timeout = Patience)]
    public async Task A_drawing_that_ends_in_time_is_delivered()
    {
        using var server = await StartAsync("sigterm-ends", drain: 120);
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = new Creative.CreativeClient(channel)
            .Generate(new GenerateRequest { ItemId = trained.ItemIds[0], Count = 2, Steps = 200 });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Terminate(server.Process);
        var images = await call.ResponseStream.ReadAllAsync().Where(message => message.Image is not null).ToListAsync();
        Assert.Equal(2, images.Count);
        await LeavesWellAsync(server);
    }

    [Fact(Timeout = Patience)]
    public async Task A_drawing_that_takes_longer_is_cut_off_with_a_status_over_gRPC_and_JSON()
    {
        using var server = await StartAsync("sigterm-cut", drain: 0);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var request = new GenerateRequest { ItemId = trained.ItemIds[0], Count = 64, Steps = 1000 };
        using var call = new Creative.CreativeClient(channel).Generate(request);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));

        using var http = new HttpClient { BaseAddress = new Uri(server.Http) };
        using var post = new HttpRequestMessage(HttpMethod.Post, "/v1/creative/generate")
        {
            Content = new StringContent(Google.Protobuf.JsonFormatter.Default.Format(request),
                System.Text.Encoding.UTF8, "application/json"),
        };
        using var json = await http.SendAsync(post, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await json.Content.ReadAsStreamAsync());
        Assert.Contains("progress", await lines.ReadLineAsync(), StringComparison.Ordinal);

        Terminate(server.Process);
        var cut = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.ReadAllAsync().CountAsync());
        Assert.Equal(StatusCode.Unavailable, cut.StatusCode);
        Assert.Contains("stopping", cut.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("SERVER_STOPPING", cut.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason);

        string[] rest = (await lines.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((int)StatusCode.Unavailable, JsonDocument.Parse(rest[^1]).RootElement.GetProperty("code").GetInt32());
        await LeavesWellAsync(server);
    }

    [Fact(Timeout = Patience)]
    public async Task Whoever_watches_the_health_service_is_told_and_holds_nothing_up()
    {
        using var server = await StartAsync("sigterm-watch", drain: 120);
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var watch = new Health.HealthClient(channel).Watch(new HealthCheckRequest());
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, watch.ResponseStream.Current.Status);
        Terminate(server.Process);
        var last = watch.ResponseStream.Current;
        while (await watch.ResponseStream.MoveNext(CancellationToken.None))
        {
            last = watch.ResponseStream.Current;
        }

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, last.Status);
        await LeavesWellAsync(server);
    }

    private async Task<Running> StartAsync(string name, double drain)
    {
        var process = Cli.Start("serve", "--versions", trained.CopyVersions(name),
            "--listen", "127.0.0.1:0", "--drain", $"{drain}", "--until-stdin-closes", "--json");
        var error = process.StandardError.ReadToEndAsync();
        string line = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"serve ended before it listened: {await error}");
        var said = JsonDocument.Parse(line).RootElement;
        return new Running(process, error, said.GetProperty("listening").GetString()!, said.GetProperty("http").GetString()!);
    }

    private static void Terminate(Process process)
    {
        using var kill = Process.Start("sh", ["-c", $"kill -TERM {process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private static async Task LeavesWellAsync(Running server)
    {
        await server.Process.WaitForExitAsync();
        Assert.True(server.Process.ExitCode == 0, $"serve exited {server.Process.ExitCode}:\n{await server.Error}");
    }

    private sealed record Running(Process Process, Task<string> Error, string Address, string Http) : IDisposable
    {
        public void Dispose()
        {
            if (!Process.HasExited)
            {
                Process.Kill(entireProcessTree: true);
            }

            Process.Dispose();
        }
    }
}
