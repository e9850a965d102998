using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Recsys.Imaging.Tests;

/// <summary>A test that times something, and so runs only where the machine is its own: RECSYS_FULL=1, and gcc for the floor.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TimedFactAttribute : FactAttribute
{
    public TimedFactAttribute()
    {
        Skip = Environment.GetEnvironmentVariable("RECSYS_FULL") != "1" ? "It measures time: RECSYS_FULL=1, or ./recsys test --full."
            : !File.Exists("/usr/bin/gcc") ? "gcc is not installed."
            : null;
    }
}

[CollectionDefinition(nameof(ThroughputTests), DisableParallelization = true)]
public sealed class AloneOnTheMachine;

/// <summary>Pictures a second of a batch, beside bench/imaging/floor.c, which calls libvips and nothing else, round by round.</summary>
[Collection(nameof(ThroughputTests))]
public sealed class ThroughputTests(ITestOutputHelper output)
{
    private const int Rounds = 7, Repeats = 4;

    [TimedFact]
    public void A_batch_decodes_nearly_as_fast_as_libvips_alone()
    {
        string folder = Directory.CreateTempSubdirectory("recsys-floor-").FullName;
        try
        {
            string floor = Path.Combine(folder, "floor");
            Run("/usr/bin/gcc", ["-O2", Source(), "-o", floor, "-l:libvips.so.42", "-l:libgobject-2.0.so.0", "-l:libglib-2.0.so.0", "-lpthread"]);
            Compare(folder, floor, "jpeg 640 × 480 to 64 × 64", 64, seed => JpegEncoder.Encode(Picture(640, 480, seed), 85), 100);
            Compare(folder, floor, "png 160 × 160 to 64 × 64", 64, seed => PngEncoder.Encode(Picture(160, 160, seed)), 100);
            Compare(folder, floor, "png 32 × 32 to 32 × 32", 32, seed => PngEncoder.Encode(Picture(32, 32, seed)), 300);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Compare(string folder, string floor, string what, int size, Func<int, byte[]> make, int count)
    {
        byte[][] files = [.. Enumerable.Range(0, count).Select(make)];
        string[] paths = [.. files.Select((file, at) =>
        {
            string path = Path.Combine(folder, $"{size}-{at}");
            File.WriteAllBytes(path, file);
            return path;
        })];
        var pixels = new float[(long)Repeats * count * 3 * size * size];
        var (ours, alone, work) = (new List<double>(), new List<double>(), new List<double>());
        for (int round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            ImageBatch.LoadInto(item => files[item % count], Repeats * count, size, size, pixels);
            double rate = Repeats * count / clock.Elapsed.TotalSeconds;
            double used = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / (Repeats * count);
            double[] said = [.. Run(floor, [$"{size}", $"{Environment.ProcessorCount}", "1", .. paths]).Split().Where(word => word.Length > 0).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
            if (round > 0)
            {
                ours.Add(rate);
                alone.Add(said[0]);
                work.Add(used / said[1]);
            }
        }

        double[] ratios = [.. ours.Zip(alone, (a, b) => a / b).Order()];
        output.WriteLine($"{what}: {Median(ours):N0} pictures/s here, {Median(alone):N0} by libvips alone, ratio {ratios[Rounds / 2]:F2} ({ratios[0]:F2} to {ratios[^1]:F2}); "
            + $"processor time {Median(work):F2} times ({work.Min():F2} to {work.Max():F2})");
        Assert.True(Median(work) < 2, $"{what}: {Median(work):F2} times the processor time of libvips alone"); // which other processes move least
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static Picture Picture(int width, int height, int seed) => Pictures.From(width, height, (x, y) =>
        new Rgb((byte)(x * (seed % 5)), (byte)((y * 3) + (x * x / 97)), (byte)((x ^ y) + seed)));

    private static string Source()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Recsys.sln")))
        {
            at = at.Parent!;
        }

        return Path.Combine(at.FullName, "bench", "imaging", "floor.c");
    }

    private static string Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string said = process.StandardOutput.ReadToEnd(), errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {errors}");
        return said;
    }
}
