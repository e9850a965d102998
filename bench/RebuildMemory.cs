using System.Diagnostics;
using System.Globalization;
using Recsys.Catalog;

namespace Recsys.Bench;

/// <summary>The most memory that a rebuild holds, as the kernel counts it for a process of its own.</summary>
internal static class RebuildMemory
{
    // Every stage is met; the number of steps changes no stage's peak.
    private const string Options = """
        {
          "retrieval": {
            "id": { "min_steps": 1, "max_steps": 60 }, "content": { "min_steps": 1, "max_steps": 60 },
            "generative": { "min_steps": 1, "max_steps": 60 }
          }
        }
        """;

    // The earlier build had the generative leg alone, and its keys one level up.
    private const string BeforeOptions = """{"retrieval":{"min_steps":1,"max_steps":60}}""";

    /// <param name="program">What is measured, called with the arguments of a rebuild.</param>
    /// <param name="dataset">A dataset folder; it is only read.</param>
    /// <param name="before">A checkout of an earlier commit, built there; null: not measured.</param>
    /// <param name="beforeName">What it is called.</param>
    /// <exception cref="CatalogException">A rebuild failed.</exception>
    public static BenchCase Run(
        ProcessStartInfo program, string dataset, string? before, string? beforeName, CancellationToken cancel)
    {
        double now = Megabytes(program, dataset, Options, cancel);
        double[]? peer = before is null
            ? null
            : [
                Megabytes(
                    BenchPeer.WithoutAllocator(new ProcessStartInfo(Path.Combine(before, "recsys"))), dataset, BeforeOptions, cancel),
            ];
        return new BenchCase("peak memory of a rebuild, 60 steps of each retrieval leg", "MB", [now], peer, beforeName, null, 1.0);
    }

    private static double Megabytes(ProcessStartInfo start, string dataset, string options, CancellationToken cancel)
    {
        string folder = Directory.CreateTempSubdirectory("recsys-bench").FullName;
        try
        {
            string config = Path.Combine(folder, "short.json");
            File.WriteAllText(config, options);
            foreach (
                string argument in (string[])["rebuild", "--data", dataset, "--out", Path.Combine(folder, "versions"), "--config", config])
            {
                start.ArgumentList.Add(argument);
            }

            (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
            start.Environment.Remove("DOTNET_GCgen0size"); // of the benchmarks, not of a rebuild
            using var process = Process.Start(start)!;
            using var kill = cancel.Register(() => process.Kill(entireProcessTree: true));
            var said = Task.WhenAll(
                process.StandardOutput.ReadToEndAsync(CancellationToken.None),
                process.StandardError.ReadToEndAsync(CancellationToken.None));
            double most = 0;
            while (!process.WaitForExit(100))
            {
                most = Math.Max(most, HighWaterMark(process.Id));
            }

            cancel.ThrowIfCancellationRequested();
            return process.ExitCode == 0
                ? most
                : throw CatalogException.Precondition(
                    $"'{start.FileName} {string.Join(' ', start.ArgumentList)}' ended with "
                    + $"{process.ExitCode}:\n{string.Join('\n', said.Result)}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double HighWaterMark(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(
                line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null
                ? 0
                : double.Parse(
                    line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
        catch (IOException)
        {
            return 0; // it has just ended
        }
    }
}
