using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Recsys.Catalog;
using Recsys.Torch.Distributed;

namespace Recsys.Server.Launch;

/// <summary>
/// One rank as a child process. Its standard error comes out prefixed with its rank; so does its standard output, but for rank 0's, which is
/// the verb's answer. Its standard input stays open as long as this process lives, and its end tells it that this one is gone.
/// </summary>
internal sealed class RankChild : IDisposable
{
    private readonly Process _process;
    private readonly Task _output;

    public RankChild(int rank, LaunchOptions options, int masterPort, int restarts)
    {
        Rank = rank;
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(RankChild).Assembly.Location);
        }

        foreach (string word in options.Verb)
        {
            start.ArgumentList.Add(word);
        }

        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in new[]
        {
            ("RANK", Text(rank)), ("LOCAL_RANK", Text(rank)), ("GROUP_RANK", "0"), ("WORLD_SIZE", Text(options.Ranks)), ("LOCAL_WORLD_SIZE", Text(options.Ranks)),
            ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", Text(masterPort)),
            ("TORCHELASTIC_USE_AGENT_STORE", "True"), ("TORCHELASTIC_RESTART_COUNT", Text(restarts)), ("TORCHELASTIC_MAX_RESTARTS", Text(options.MaxRestarts)),
            (SupervisedRank.Variable, "1"),
        })
        {
            start.Environment[name] = value;
        }

        start.Environment.TryAdd("OMP_NUM_THREADS", Text(options.Threads));
        _process = Process.Start(start) ?? throw CatalogException.Unavailable($"Rank {rank} did not start.");
        _output = Task.WhenAll(Copy(_process.StandardOutput, rank == 0 ? Console.Out : Console.Error, rank == 0 ? "" : Prefix), Copy(_process.StandardError, Console.Error, Prefix));
        Exit = WaitAsync();
    }

    public int Rank { get; }

    public int Id => _process.Id;

    /// <summary>The exit code, 128 + signal for a killed process, once all its output is out.</summary>
    public Task<int> Exit { get; }

    private string Prefix => $"[{Rank}] ";

    public void Signal(PosixSignal signal)
    {
        if (!_process.HasExited)
        {
            ProcessSignal.Send(_process.Id, signal);
        }
    }

    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        int code = _process.ExitCode;
        // A grandchild that holds the pipe open must not hold up the verdict.
        await Task.WhenAny(_output, Task.Delay(TimeSpan.FromSeconds(1)));
        return code;
    }

    private static async Task Copy(StreamReader from, TextWriter to, string prefix)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            await to.WriteLineAsync(prefix + line); // Console's writers are synchronised: whole lines
        }
    }
}
