using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Recsys.Faiss.Tests;

/// <summary>Data of the comparison, and the answers of FAISS's own Python package to it: one run for all tests.</summary>
public sealed class FaissPeer : IDisposable
{
    public const int Dim = 16, Seed = 4321;
    private const string Python = "/usr/bin/python3";
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-faiss-peer-").FullName;

    public FaissPeer()
    {
        if (Missing is not null)
        {
            return;
        }

        foreach (var (name, values) in new[] { ("train", Train), ("query", Query) })
        {
            File.WriteAllBytes(Path.Combine(_folder, name), MemoryMarshal.AsBytes(values.AsSpan()));
        }

        var (code, output) = Run(Path.Combine(AppContext.BaseDirectory, "faiss_peer.py"), _folder);
        Assert.True(code == 0, output);
    }

    /// <summary>Why the comparison cannot run; null where it can.</summary>
    public static string? Missing { get; } =
        !File.Exists(Python) || Run("-c", "import faiss, numpy; assert faiss.__version__ == '1.7.3'").Code != 0
            ? "FAISS's Python package 1.7.3 is not installed (apt-get install python3-faiss)."
            : null;

    public float[] Train { get; } = Points.Clustered(1200, Dim, seed: 1);

    public float[] Query { get; } = Points.Clustered(120, Dim, seed: 3);

    public T[] Read<T>(string name)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(File.ReadAllBytes(Path.Combine(_folder, name))).ToArray();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static (int Code, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
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
