using System.Text.Json;
using Microsoft.Extensions.Logging;
using Recsys.Cli.Terminal;
using Recsys.Imaging;
using Recsys.Server.Serving;
using Recsys.Torch;

namespace Recsys.Integration.Tests;

/// <summary>What the program says of its packages and of its machine.</summary>
public sealed class DoctorTests
{
    private static readonly ConvolutionCheck
        Right = new(ConvolutionWay.Native, [], 3), Wrong = new(ConvolutionWay.Products, ["3 to 64 channels: values off by 40 %."], 3);

    [Fact]
    public async Task It_names_every_package_that_it_needs_and_what_was_checked()
    {
        var json = (await Cli.DoneAsync(("OMP_NUM_THREADS", "1"), ["doctor", "--json"])).Json;
        Assert.True(json.GetProperty("ok").GetBoolean());
        Assert.Empty(json.GetProperty("faults").EnumerateArray());
        Assert.Equal(TorchSharp.torch.__version__, json.GetProperty("libtorch").GetString());
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
        Assert.Equal(TorchSharp.torch.CPU.HasFastBFloat16() ? "fast" : "slow", json.GetProperty("bfloat16").GetString());
        Assert.Equal(Recsys.Imaging.Libvips.Version, json.GetProperty("libvips").GetString());
        Assert.True(File.Exists(json.GetProperty("redis_server").GetString()));
        Assert.All(["kernels", "faiss"], name => Assert.Contains("right", json.GetProperty(name).GetString(), StringComparison.Ordinal));
        var convolutions = json.GetProperty("convolutions");
        Assert.StartsWith("convolutions: ", convolutions.GetProperty("text").GetString(), StringComparison.Ordinal);
        bool native = convolutions.GetProperty("way").GetString() == nameof(ConvolutionWay.Native);
        Assert.Equal(native, convolutions.GetProperty("wrong").GetArrayLength() == 0);
    }

    [Fact]
    public async Task Without_redis_server_it_exits_69_and_says_what_to_do()
    {
        var result = await Cli.RunAsync(("PATH", Path.Combine(Path.GetTempPath(), "no-such-folder")), ["doctor", "--json"]);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.Missing, result.ExitCode);
        Assert.False(result.Json.GetProperty("ok").GetBoolean());
        Assert.Equal(JsonValueKind.Null, result.Json.GetProperty("redis_server").ValueKind);
        string fault = Assert.Single(result.Json.GetProperty("faults").EnumerateArray()).GetString()!;
        Assert.Contains("apt-get install redis-server", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rebuild_warns_of_the_slower_way_only_where_it_trains_pictures()
    {
        Assert.Contains(Wrong.ToString(), ConvolutionNotice.Warning(true, () => Wrong), StringComparison.Ordinal);
        Assert.Null(ConvolutionNotice.Warning(true, () => Right));
        Assert.Null(ConvolutionNotice.Warning(false, () => throw new InvalidOperationException("asked for nothing")));
    }

    [Fact]
    public void A_server_logs_the_way_and_warns_of_the_slower_one()
    {
        var log = new Lines();
        ConvolutionNotice.Log(log, Right);
        ConvolutionNotice.Log(log, Wrong);
        Assert.Equal([(LogLevel.Information, Right.ToString()), (LogLevel.Warning, Wrong.ToString())], log.Said);
    }

    [Fact]
    public async Task Serve_logs_once_how_this_machine_computes_convolutions()
    {
        string versions = Directory.CreateTempSubdirectory("recsys-serve-").FullName;
        // Its standard input is closed at once.
        var served = await Cli.DoneAsync("serve", "--versions", versions, "--listen", "127.0.0.1:0", "--until-stdin-closes");
        Assert.Single(served.Error.Split('\n'), line => line.Contains("convolutions: ", StringComparison.Ordinal));
        Directory.Delete(versions, recursive: true);
    }

    private sealed class Lines : ILogger
    {
        public List<(LogLevel Level, string Text)> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add((logLevel, formatter(state, exception)));
    }
}
