using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Diffusion.Denoisers;
using Recsys.Faiss;
using Recsys.Imaging;
using Recsys.Quantizer.Models;
using Recsys.Retrieval.Models;
using Recsys.Store.Redis;
using Recsys.Torch.Kernels;

namespace Recsys.Cli.Verbs;

/// <summary>What the built program says of itself. The launcher's own part comes before it, and needs no build.</summary>
internal static class DoctorVerb
{
    /// <summary>One thing that was looked at.</summary>
    /// <param name="Name">Key in the JSON.</param>
    /// <param name="Value">For scripts; null where the thing is missing.</param>
    /// <param name="Text">For people: what is there, or what is wrong and what to do.</param>
    private sealed record Finding(string Name, object? Value, string Text);

    private static readonly Option<string?> Device =
        VerbOption.Of<string?>("--device", "Also compare every model on this device with the CPU: cpu, cuda or cuda:N.");

    public static Command Create()
    {
        var command = new Command("doctor", "What is installed, what is missing, what was checked on this machine, what to do.") { Device };
        command.OnRun((parsed, _) => Task.FromResult(Answer([.. Look(), .. Models(parsed.GetValue(Device))])));
        return command;
    }

    private static VerbResult Answer(Finding[] findings)
    {
        bool ok = findings.All(finding => finding.Value is not null);
        var json = new Dictionary<string, object?> { ["ok"] = ok };
        foreach (var finding in findings)
        {
            json[finding.Name] = finding.Value;
        }

        json["faults"] = findings.Where(finding => finding.Value is null).Select(finding => finding.Text);
        return new VerbResult(
            json,
            output => output.WriteLine(string.Join('\n', findings.Select(
                finding => $"  {(finding.Value is null ? "missing" : "ok"),-8} {finding.Name,-20} {finding.Text}"))),
            ok ? ExitCode.Done : ExitCode.Missing);
    }

    private static IEnumerable<Finding> Look()
    {
        var loads = Try("libtorch", () =>
        {
            VerbRunner.UseAllCores();
            return __version__;
        });
        foreach (var finding in loads.Value is null ? [loads] : Engine())
        {
            yield return finding;
        }

        yield return Try("faiss", Nearest);
        yield return Try("libvips", () => Libvips.Version);
        string? redis = PrivateRedis.FindServer();
        yield return new(
            "redis_server", redis, redis ?? "not in PATH: apt-get install redis-server, or name a Redis with --redis or RECSYS_REDIS");
    }

    private static IEnumerable<Finding> Engine()
    {
        int threads = get_num_threads(), gpus = cuda.is_available() ? cuda.device_count() : 0;
        bool fast = CPU.HasFastBFloat16();
        yield return new("libtorch", __version__, $"{__version__}, {(gpus == 0 ? "no GPU" : $"{gpus} GPUs")}");
        yield return new("threads", threads, $"{threads} of {Environment.ProcessorCount} cores; OMP_NUM_THREADS sets another number");
        yield return new("bfloat16", fast ? "fast" : "slow", $"this processor has {(fast ? "" : "no ")}instructions for it");
        var check = Convolutions.Check;
        string found = check.ToString();
        yield return new(
            "convolutions", new { way = check.Way.ToString(), wrong = check.Wrong, text = found }, found["convolutions: ".Length..]);
        yield return Try("kernels", Compute);
    }

    private static IEnumerable<Finding> Models(string? name)
    {
        if (name is null)
        {
            yield break;
        }

        DeviceCheck[] checks = [];
        var found = Try("device", () =>
        {
            var device = Devices.Of(name);
            checks = [.. QuantizerDeviceChecks.Run(device), .. RetrievalDeviceChecks.Run(device), .. DiffusionDeviceChecks.Run(device)];
            return $"{name}: every model's forward and backward was compared with the CPU's";
        });
        yield return found;
        foreach (var check in checks)
        {
            yield return new(check.Name, check.Passed ? check : null, check.ToString());
        }
    }

    private static Finding Try(string name, Func<string> look)
    {
        try
        {
            string found = look();
            return new(name, found, found);
        }
        catch (Exception e)
        {
            return new(name, null, (e.InnerException ?? e).Message.ReplaceLineEndings(" "));
        }
    }

    // A token that sees itself alone gets its own value, and a layer of ones on the diagonal gives what it gets.
    private static string Compute()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var qkv = arange(24, dtype: ScalarType.Float32).reshape(1, 3, 1, 8);
        var seen = Fused.SelfAttention(qkv, tensor(new long[] { 0, 1 }), causal: true);
        var x = arange(64, dtype: ScalarType.BFloat16).repeat(256, 1);
        return seen.flatten().allclose(arange(16, 24, dtype: ScalarType.Float32)) && Fused.Linear(x, eye(64), null).allclose(x)
            ? "loaded, known answers are right"
            : throw new TorchException("librecsys_kernels.so loads and computes wrong answers; remove artifacts/native and build again.");
    }

    private static string Nearest()
    {
        var found = KMeans.Train([0, 0, 0, 2, 9, 9, 9, 11], 2, 2);
        return found.Objective == 4
            ? "loaded, a known answer is right"
            : throw new FaissException(
                "faiss: the squared error of four points", found.Objective, "4", "remove artifacts/native and build again");
    }
}
