using System.Diagnostics;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Cli.Terminal;

namespace Recsys.Cli.Demo;

/// <summary>
/// A `recsys serve` as a process of its own. It stops when its standard input closes, so it never outlives this process, even a killed one.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private readonly Process _process;

    private ServerProcess(Process process, string address, string httpAddress) =>
        (_process, Address, HttpAddress) = (process, address, httpAddress);

    /// <summary>Where it answers gRPC.</summary>
    public string Address { get; }

    /// <summary>Where it answers JSON.</summary>
    public string HttpAddress { get; }

    public int Id => _process.Id;

    /// <param name="seconds">In which it must listen; a large catalogue must first be written to Redis.</param>
    public static async Task<ServerProcess> StartAsync(string versions, string logFile, CancellationToken cancel, double seconds = 60)
    {
        var start = ThisProgram.With("serve", "--versions", versions, "--listen", "127.0.0.1:0", "--until-stdin-closes", "--json");
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        start.Environment.Remove("RECSYS_REDIS"); // its versions are its folder's alone
        start.Environment.Remove("RECSYS_REDIS_PREFIX");
        var process = Process.Start(start) ?? throw CatalogException.Unavailable("The server process did not start.");
        var log = new StreamWriter(logFile) { AutoFlush = true };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                log.Dispose();
            }
            else
            {
                log.WriteLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        try
        {
            string? first = await process.StandardOutput.ReadLineAsync(cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(seconds), cancel);
            var said = first is null ? default : JsonDocument.Parse(first).RootElement;
            return said.ValueKind == JsonValueKind.Object && said.TryGetProperty("listening", out var address)
                && said.TryGetProperty("http", out var http)
                ? new ServerProcess(process, address.GetString()!, http.GetString()!)
                : throw CatalogException.Unavailable($"The server ended before it listened: {first}. Its log is {logFile}.");
        }
        catch (Exception e)
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            if (e is TimeoutException)
            {
                throw CatalogException.Unavailable(
                    $"The server did not listen within {seconds} seconds. Its log is {logFile}.", e);
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
