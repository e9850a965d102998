using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Recsys.Torch.Tests.Distributed;

/// <summary>A rank as a process, started by plain environment variables.</summary>
internal sealed class RankProcess : IDisposable
{
    private readonly Process _process;

    public RankProcess(int rank, int size, int port, string play, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(RankProcess).Assembly.Location);
        start.ArgumentList.Add("rank");
        start.ArgumentList.Add(play);
        foreach (var (name, value) in environment.Concat(
        [
            ("RANK", rank.ToString(CultureInfo.InvariantCulture)), ("WORLD_SIZE", size.ToString(CultureInfo.InvariantCulture)),
            ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", port.ToString(CultureInfo.InvariantCulture)), ("OMP_NUM_THREADS", "1"),
        ]))
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        Error = _process.StandardError.ReadToEndAsync();
    }

    public Task<string> Error { get; }

    public int Id => _process.Id;

    public static List<RankProcess> Start(int size, string play, params (string Name, string Value)[] environment)
    {
        int port = FreePort();
        return [.. Enumerable.Range(0, size).Select(rank => new RankProcess(rank, size, port, play, environment))];
    }

    public async Task<string> LineAsync() =>
        await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"The rank ended without a word: {await Error}");

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
