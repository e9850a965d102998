using System.Diagnostics;
using System.Text.Json;
using Recsys.Cli.Terminal;

namespace Recsys.Integration.Tests;

/// <summary>Runs a script with a gRPC client that is not ours.</summary>
internal static class ForeignClient
{
    /// <summary>The one JSON object that the script prints; a failure shows what it said.</summary>
    public static async Task<JsonElement> RunAsync(string program, string[] arguments, params (string Name, string Value)[] environment) =>
        JsonDocument.Parse(await OutputAsync(program, arguments, environment)).RootElement;

    public static async Task<string> OutputAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output + await error);
        return output;
    }

    public static string Script(string folder, string file) => Path.Combine(RepositoryRoot.Path, "tests", "Integration", folder, file);

    /// <summary>Whether a program runs and ends well with these arguments.</summary>
    public static bool Runs(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>Skipped, with the reason, where node and npm are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class JavaScriptFactAttribute : FactAttribute
{
    public JavaScriptFactAttribute() =>
        Skip = ForeignClient.Runs("node", "--version") && ForeignClient.Runs("npm", "--version")
            ? null : "node and npm are not installed, so @grpc/grpc-js calls nothing.";
}

/// <summary>Skipped, with the reason, where Debian's python3-grpcio and python3-protobuf are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    /// <summary>Debian's own: another python3 on the path does not see Debian's packages.</summary>
    public const string Python = "/usr/bin/python3";

    public PythonFactAttribute() =>
        Skip = ForeignClient.Runs(Python, "-c", "import grpc, google.protobuf")
            ? null : "python3-grpcio and python3-protobuf are not installed, so grpcio calls nothing.";
}
