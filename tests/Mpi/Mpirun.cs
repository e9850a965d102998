using System.Diagnostics;

namespace Recsys.Mpi.Tests;

/// <summary>Runs the worker: alone, or as ranks under MPICH's mpirun, which a machine that runs the tests must have.</summary>
internal static class Mpirun
{
    /// <summary>A rank that hangs keeps a core busy for ever: mpirun itself ends all of them then, whatever became of the tests.</summary>
    public const string Limit = "MPIEXEC_TIMEOUT", Seconds = "300";

    public sealed record Result(int ExitCode, string Error);

    public static Task<Result> AloneAsync(params string[] arguments) =>
        RunAsync("dotnet", [typeof(Mpirun).Assembly.Location, .. arguments]);

    public static Task<Result> RanksAsync(int ranks, params string[] arguments) =>
        RunAsync("mpirun.mpich", ["-n", $"{ranks}", "dotnet", typeof(Mpirun).Assembly.Location, .. arguments]);

    public static async Task<Result> RunAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment.Prepend((Limit, Seconds)))
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new Result(process.ExitCode, await output + await error);
    }
}
