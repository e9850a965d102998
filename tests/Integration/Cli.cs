using System.Diagnostics;
using System.Text.Json;
using Recsys.Cli.Verbs;

namespace Recsys.Integration.Tests;

/// <summary>
/// Runs the built product as a user does: a process of its own, with arguments, output and an exit code. <see cref="HereAsync"/> runs
/// the same program in this process, for all that is not about processes: it takes no second to start.
/// </summary>
internal static class Cli
{
    private static readonly SemaphoreSlim Turn = new(1); // the console is one

    static Cli()
    {
        // Of this process and of those that it starts. Two tests run at a time, each on a core of its own.
        Environment.SetEnvironmentVariable("RECSYS_REDIS", null);
        Environment.SetEnvironmentVariable("RECSYS_REDIS_PREFIX", null);
        Environment.SetEnvironmentVariable("RECSYS_SERVER", null);
        Environment.SetEnvironmentVariable("RECSYS_CACHE", Path.Combine(TrainedVersion.Root, "cache"));
        Environment.SetEnvironmentVariable("OMP_NUM_THREADS", "1");
        // Code that runs for seconds is not worth counting, nor its pages worth mapping twice.
        Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
        Environment.SetEnvironmentVariable("DOTNET_EnableWriteXorExecute", "0");
    }

    public static string Assembly { get; } = Path.Combine(RepositoryRoot.Path, "artifacts", "bin", "Recsys.Cli", "release", "recsys.dll");

    public sealed record Result(int ExitCode, string Output, string Error)
    {
        /// <summary>The one JSON object of <c>--json</c>.</summary>
        public JsonElement Json => JsonDocument.Parse(Output).RootElement;
    }

    public static Process Start(params string[] arguments) => Start([], arguments);

    private static Process Start((string Name, string Value)[] environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = RepositoryRoot.Path,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        start.ArgumentList.Add(Assembly);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    /// <summary>The program in this process.</summary>
    public static async Task<Result> HereAsync(params string[] arguments)
    {
        await Turn.WaitAsync();
        var (output, error, before, errorBefore) = (new StringWriter(), new StringWriter(), Console.Out, Console.Error);
        try
        {
            Console.SetOut(output);
            Console.SetError(error);
            int code = await Task.Run(() => (int)typeof(CommandTree).Assembly.EntryPoint!.Invoke(null, [arguments])!);
            return new Result(code, output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(errorBefore);
            Turn.Release();
        }
    }

    /// <summary>The same, and expects success.</summary>
    public static async Task<Result> DoneHereAsync(params string[] arguments) => Done(await HereAsync(arguments), arguments);

    public static Task<Result> RunAsync(params string[] arguments) => RunAsync([], arguments);

    /// <summary>The same with a variable of its own.</summary>
    public static Task<Result> RunAsync((string Name, string Value) variable, string[] arguments) => RunAsync([variable], arguments);

    private static async Task<Result> RunAsync((string Name, string Value)[] environment, string[] arguments)
    {
        using var process = Start(environment, arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Result(process.ExitCode, await output, await error);
    }

    /// <summary>Runs and expects success; a failure shows what the process said.</summary>
    public static Task<Result> DoneAsync(params string[] arguments) => DoneAsync([], arguments);

    /// <summary>The same with variables of its own.</summary>
    public static Task<Result> DoneAsync((string Name, string Value) variable, string[] arguments) => DoneAsync([variable], arguments);

    private static async Task<Result> DoneAsync((string Name, string Value)[] environment, string[] arguments) =>
        Done(await RunAsync(environment, arguments), arguments);

    private static Result Done(Result result, string[] arguments)
    {
        Assert.True(
            result.ExitCode == 0, $"recsys {string.Join(' ', arguments)} exited {result.ExitCode}:\n{result.Error}\n{result.Output}");
        return result;
    }
}
