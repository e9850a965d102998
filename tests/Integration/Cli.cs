using System.Diagnostics;
using System.Text.Json;
using Recsys.Cli.Terminal;

namespace Recsys.Integration.Tests;

/// <summary>Runs the built product as a user does: a process of its own, with arguments, output and an exit code.</summary>
internal static class Cli
{
    public static string Root { get; } = FindRoot();

    /// <summary>Kept embeddings of the tests' datasets; removed with the last of them.</summary>
    public static string Cache { get; } = Directory.CreateTempSubdirectory("recsys-cache-").FullName;

    public static string Assembly { get; } = Path.Combine(Root, "artifacts", "bin", "Recsys.Cli", "release", "recsys.dll");

    public sealed record Result(int ExitCode, string Output, string Error)
    {
        /// <summary>The one JSON object of <c>--json</c>.</summary>
        public JsonElement Json => JsonDocument.Parse(Output).RootElement;
    }

    public static Process Start(params string[] arguments) => Start([], arguments);

    private static Process Start((string Name, string Value)[] environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        start.Environment.Remove("RECSYS_REDIS");
        start.Environment.Remove("RECSYS_SERVER");
        start.Environment["RECSYS_CACHE"] = Cache;
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

    private static async Task<Result> DoneAsync((string Name, string Value)[] environment, string[] arguments)
    {
        var result = await RunAsync(environment, arguments);
        Assert.True(result.ExitCode == 0, $"recsys {string.Join(' ', arguments)} exited {result.ExitCode}:\n{result.Error}\n{result.Output}");
        return result;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Recsys.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("No folder above the tests holds Recsys.sln.");
    }
}
