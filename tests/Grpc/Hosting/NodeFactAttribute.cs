using System.Diagnostics;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>A test that needs Node; skipped, with a message, on machines without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute() => Skip = Node.MissingMessage;
}

/// <inheritdoc cref="NodeFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeTheoryAttribute : TheoryAttribute
{
    public NodeTheoryAttribute() => Skip = Node.MissingMessage;
}

/// <summary>Runs scripts of the interop folder with the official packages.</summary>
public static class Node
{
    private static string Folder => Path.Combine(Repository(), "tests", "Grpc", "interop");

    private static readonly Lazy<string> Packages = new(() => Run("bash", [Path.Combine(Folder, "ensure.sh")], out int exit).Trim() is var path && exit == 0
        ? Path.Combine(path, "node_modules")
        : throw new InvalidOperationException($"interop/ensure.sh ended with {exit}: the npm packages are not there. {path}"));

    /// <summary>Null where Node is there.</summary>
    public static string? MissingMessage { get; } =
        Find("node") && Find("npm") ? null : "node and npm are not installed, so the official JavaScript gRPC is not tested against.";

    public static Process Start(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Folder, script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["NODE_PATH"] = Packages.Value;
        return Process.Start(start)!;
    }

    private static string Run(string program, string[] arguments, out int exit)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        exit = process.ExitCode;
        return output;
    }

    private static bool Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Repository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Recsys.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Recsys.sln.");
    }
}
