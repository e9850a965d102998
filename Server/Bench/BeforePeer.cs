using System.Diagnostics;
using System.Globalization;
using Recsys.Catalog;

namespace Recsys.Server.Bench;

/// <summary>An earlier build in a process of its own, which runs one case a line (bench/before).</summary>
internal sealed class BeforePeer : IDisposable
{
    private readonly Process _process;

    private BeforePeer(Process process, string name) => (_process, Name) = (process, name);

    public string Name { get; }

    /// <summary>Starts it.</summary>
    /// <param name="clone">A checkout of the earlier commit, built there, with bench/before built against it.</param>
    /// <param name="program">The built recsys-before.dll.</param>
    /// <exception cref="CatalogException">One of the two is not there.</exception>
    public static BeforePeer Start(string clone, string program)
    {
        string native = Path.Combine(clone, "artifacts", "native", "librecsys_native.so");
        if (!File.Exists(program) || !File.Exists(native))
        {
            throw CatalogException.NotFound(
                $"There is no '{program}' or no '{native}'. Check the earlier commit out, let ./recsys build there, then: dotnet build bench/before -c Release -p:Before={clone}");
        }

        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["RECSYS_NATIVE"] = native;
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) => Console.Error.Write(line.Data is { } text ? text + "\n" : "");
        process.BeginErrorReadLine();
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", clone, "rev-parse", "--short", "HEAD"]) { RedirectStandardOutput = true })!;
        return new BeforePeer(process, $"the build of {git.StandardOutput.ReadToEnd().Trim()}");
    }

    /// <returns>Milliseconds of one run.</returns>
    public double Run(string name)
    {
        _process.StandardInput.WriteLine(name);
        return _process.StandardOutput.ReadLine() is { } line
            ? double.Parse(line, CultureInfo.InvariantCulture)
            : throw CatalogException.Unavailable($"The earlier build ended within the case '{name}' with code {(_process.WaitForExit(1000) ? _process.ExitCode : -1)}.");
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
