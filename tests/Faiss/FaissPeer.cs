using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Recsys.Faiss.Tests;

/// <summary>Data of the comparison, and the answers of FAISS's own Python package to it: one run for all tests.</summary>
public sealed class FaissPeer : IDisposable
{
    public const int Dim = 16, K = 10, Seed = 4321;
    private const string Python = "/usr/bin/python3";
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-faiss-peer-").FullName;

    public FaissPeer()
    {
        if (Missing is not null)
        {
            return;
        }

        Write("train", Train);
        Write("base", Base);
        Write("query", Query);
        Write("weights", Weights);
        foreach (string kind in Kinds)
        {
            using var index = Make(kind, Metric.L2);
            index.Train(Train, Seed);
            index.Add(Base);
            index.Save(Path.Combine(_folder, $"{kind}.ours"));
            if (kind != "IVF20,Flat" && kind != "IVF20,PQ4x6")
            {
                index.AddWithIds(Base.AsSpan(0, Dim), [9_000_000_000L]);
                index.Save(Path.Combine(_folder, $"{kind}.ids.ours"));
            }
        }

        var (code, output) = Run(Path.Combine(AppContext.BaseDirectory, "faiss_peer.py"), _folder);
        Assert.True(code == 0, output);
    }

    public static string[] Kinds => ["Flat", "PQ4x6", "RQ3x5", "HNSW12", "IVF20,Flat", "IVF20,PQ4x6"];

    /// <summary>Why the comparison cannot run; null where it can.</summary>
    public static string? Missing { get; } = Probe();

    public float[] Train { get; } = Clustered(1200, seed: 1);

    public float[] Base { get; } = Clustered(900, seed: 2);

    public float[] Query { get; } = Clustered(120, seed: 3);

    public float[] Weights { get; } = [.. Enumerable.Range(0, 1200).Select(i => 0.5f + (i % 7))];

    /// <summary>The index of a kind with the parameters that the script uses.</summary>
    public static VectorIndex Make(string kind, Metric metric)
    {
        var index = VectorIndex.Create(kind, Dim, metric);
        switch (index)
        {
            case ResidualQuantizerIndex residual: residual.Beam = 7; break;
            case HnswIndex graph: graph.SearchCandidates = 24; break;
            case IvfIndex inverted: inverted.Probes = 5; break;
        }

        return index;
    }

    public string At(string name) => Path.Combine(_folder, name);

    public T[] Read<T>(string name)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(File.ReadAllBytes(At(name))).ToArray();

    /// <summary>The peer's answer, its ties in ascending label order as ours are.</summary>
    public (float[] Distances, long[] Labels) Answer(string name)
    {
        float[] distances = Read<float>($"{name}.distances");
        long[] labels = Read<long>($"{name}.labels");
        for (int first = 0, last; first < labels.Length; first = last)
        {
            for (last = first + 1; last % K != 0 && distances[last] == distances[first]; last++)
            {
            }

            Array.Sort(labels, first, last - first);
        }

        return (distances, labels);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Overlapping clusters: structure for k-means and lists to find, and no ties.
    private static float[] Clustered(int rows, int seed)
    {
        float[] noise = KMeansTests.Gaussian(rows * Dim / 8, seed), centres = KMeansTests.Gaussian(30 * Dim / 8, seed: 99);
        return [.. noise.Select((value, at) => (0.6f * value) + centres[(at / Dim % 30 * Dim) + (at % Dim)])];
    }

    private void Write(string name, float[] values) => File.WriteAllBytes(At(name), MemoryMarshal.AsBytes(values.AsSpan()));

    private static string? Probe() => !File.Exists(Python) || Run("-c", "import faiss, numpy; assert faiss.__version__ == '1.7.3'").Code != 0
        ? "FAISS's Python package 1.7.3 is not installed (apt-get install python3-faiss)."
        : null;

    private static (int Code, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}

/// <summary>A test that needs Debian's python3-faiss.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FaissPeerTheoryAttribute : TheoryAttribute
{
    public FaissPeerTheoryAttribute() => Skip = FaissPeer.Missing;
}
