using System.Diagnostics;
using System.Globalization;
using Recsys.Catalog;

namespace Recsys.Bench;

/// <summary>A peer in a process of its own, which runs one case a line, with the allocator of the C library.</summary>
internal sealed class BenchPeer : IDisposable
{
    private readonly Process _process;

    private BenchPeer(Process process, string name) => (_process, Name) = (process, name);

    public string Name { get; }

    /// <summary>Starts an earlier build (bench/before).</summary>
    /// <param name="clone">A checkout of the earlier commit, built there, with bench/before built against it.</param>
    /// <param name="program">The built recsys-before.dll.</param>
    /// <exception cref="CatalogException">One of the two is not there.</exception>
    public static BenchPeer StartBefore(string clone, string program)
    {
        string native = Path.Combine(clone, "artifacts", "native", "librecsys_native.so");
        if (!File.Exists(program) || !File.Exists(native))
        {
            throw CatalogException.NotFound(
                $"There is no '{program}' or no '{native}'. Check the earlier commit out, let ./recsys build there, then: dotnet build "
                + $"bench/before -c Release -p:Before={clone}");
        }

        using var git = Process.Start(
            new ProcessStartInfo("git", ["-C", clone, "rev-parse", "--short", "HEAD"]) { RedirectStandardOutput = true })!;
        return Start(
            new ProcessStartInfo("dotnet", [program]) { Environment = { ["RECSYS_NATIVE"] = native } },
            $"the build of {git.StandardOutput.ReadToEnd().Trim()}");
    }

    /// <summary>Starts the other side of <see cref="BenchSuite.AnswerAsPeer"/>.</summary>
    /// <param name="program">The program that answers so, with the arguments that make it.</param>
    public static BenchPeer StartPeers(ProcessStartInfo program) => Start(program, "the peers");

    /// <summary>The launcher's allocator is a part of ours: peers take the C library's.</summary>
    public static ProcessStartInfo WithoutAllocator(ProcessStartInfo start)
    {
        start.Environment.Remove("LD_PRELOAD");
        start.Environment.Remove("MALLOC_CONF");
        return start;
    }

    private static BenchPeer Start(ProcessStartInfo start, string name)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        var process = Process.Start(WithoutAllocator(start))!;
        process.ErrorDataReceived += (_, line) => Console.Error.Write(line.Data is { } text ? text + "\n" : "");
        process.BeginErrorReadLine();
        return new BenchPeer(process, name);
    }

    /// <returns>Milliseconds of one run.</returns>
    public double Run(string name)
    {
        _process.StandardInput.WriteLine(name);
        return _process.StandardOutput.ReadLine() is { } line
            ? double.Parse(line, CultureInfo.InvariantCulture)
            : throw CatalogException.Unavailable(
                $"{Name} ended within the case '{name}' with code {(_process.WaitForExit(1000) ? _process.ExitCode : -1)}.");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000))
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
