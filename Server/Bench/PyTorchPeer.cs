using System.Diagnostics;
using System.Globalization;

namespace Recsys.Server.Bench;

/// <summary>PyTorch as a process of its own that runs a timed round when asked; idle, and asleep, while ours runs.</summary>
internal sealed class PyTorchPeer : IDisposable
{
    private readonly Process _process;

    private readonly Func<string?> _lastError;

    private PyTorchPeer(Process process, string version, Func<string?> lastError) => (_process, Version, _lastError) = (process, version, lastError);

    public string Version { get; }

    public string Name => $"PyTorch {Version} eager";

    /// <summary>Starts the peer; null where Debian's python3-torch or the script is not there.</summary>
    public static PyTorchPeer? Start(int threads)
    {
        string? script = Script();
        if (script is null || !File.Exists("/usr/bin/python3"))
        {
            return null;
        }

        var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", [script, threads.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string? said = null;
        process.ErrorDataReceived += (_, line) => said = line.Data ?? said;
        process.BeginErrorReadLine();
        if (process.StandardOutput.ReadLine() is { } version)
        {
            return new PyTorchPeer(process, version, () => said);
        }

        process.Dispose(); // no torch to import
        return null;
    }

    /// <returns>Seconds.</returns>
    public double Round(string name)
    {
        _process.StandardInput.WriteLine(name);
        _process.StandardInput.Flush();
        return double.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"PyTorch ended in the case '{name}': {_lastError()}"), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        if (_process.HasExited)
        {
            _process.Dispose();
            return;
        }

        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string? Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string file = Path.Combine(folder.FullName, "bench", "pytorch", "eager.py");
            if (File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }
}
