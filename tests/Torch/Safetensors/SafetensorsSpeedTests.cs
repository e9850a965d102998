using System.Diagnostics;
using Xunit.Abstractions;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Figures for docs/platform.md: 512 MiB in 128 tensors, loaded, summed and saved.</summary>
public sealed class SafetensorsSpeedTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 5;
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-speed").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [FullFact]
    public void Load_and_save_half_a_gigabyte()
    {
        using var scope = NewDisposeScope();
        string file = Path.Combine(_folder, "model.safetensors");
        manual_seed(1);
        Dictionary<string, Tensor> tensors = Enumerable.Range(0, 128).ToDictionary(i => $"{i}", _ => rand(1024, 1024));
        double expected = Sum(tensors);
        var kept = Enumerable.Range(0, 128).ToDictionary(i => $"{i}", _ => zeros(1024, 1024));
        Measure("save, synced", () => SafetensorsFile.Save(file, tensors));
        foreach (bool cold in new[] { false, true })
        {
            foreach (bool mapped in new[] { false, true })
            {
                string what = $"{(mapped ? "mapped" : "read")}, {(cold ? "cold" : "warm")}";
                Measure($"load {what}", () => SafetensorsFile.Load(file, mapped: mapped), before: () => Settle(file, cold));
                Measure($"load and sum {what}", () => Assert.Equal(expected, Sum(SafetensorsFile.Load(file, mapped: mapped))), before: () => Settle(file, cold));
                Measure($"load into a model {what}", () => Copy(SafetensorsFile.Load(file, mapped: mapped), kept), before: () => Settle(file, cold));
            }
        }
    }

    private static double Sum(Dictionary<string, Tensor> tensors) => tensors.Values.Sum(t => t.sum().item<float>());

    private static void Copy(Dictionary<string, Tensor> from, Dictionary<string, Tensor> to)
    {
        foreach ((string name, Tensor tensor) in from)
        {
            to[name].copy_(tensor);
        }
    }

    // dd asks the kernel to drop this file's pages from its cache.
    private static void Settle(string file, bool cold)
    {
        if (cold)
        {
            using Process dd = Process.Start(new ProcessStartInfo("dd", ["if=" + file, "iflag=nocache", "count=0", "status=none"]))!;
            dd.WaitForExit();
            Assert.Equal(0, dd.ExitCode);
        }
    }

    private void Measure(string what, Action action, Action? before = null)
    {
        var times = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            before?.Invoke();
            using var scope = NewDisposeScope();
            long start = Stopwatch.GetTimestamp();
            action();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        output.WriteLine($"{what,-32} {times[Rounds / 2],8:F1} ms ({times[0]:F1} to {times[^1]:F1})");
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class FullFactAttribute : FactAttribute
{
    public FullFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("RECSYS_FULL") != "1")
        {
            Skip = "it measures, and runs with RECSYS_FULL=1 alone.";
        }
    }
}
