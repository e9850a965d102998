using System.Diagnostics;
using System.Reflection;
using Recsys.Grpc.Tests.V1;
using Xunit.Sdk;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>An official implementation of gRPC that scripts of the interop folder run on.</summary>
public sealed class OfficialPeer
{
    private readonly Func<string, string[], Process> _start;

    private OfficialPeer(string name, string? missing, Func<string, string[], Process> start) => (Name, Missing, _start) = (name, missing, start);

    public static OfficialPeer JavaScript { get; } = new("javascript",
        Find("node") && Find("npm") ? null : "node and npm are not installed, so the official JavaScript gRPC is not tested against.",
        (role, arguments) => Start("node", [Path.Combine(Folder, $"{role}.js"), .. arguments], "NODE_PATH", Packages!.Value));

    public static OfficialPeer Python { get; } = new("python",
        CanImport() ? null : "python3-grpcio and python3-protobuf are not installed, so the official Python gRPC is not tested against.",
        (role, arguments) => Start(
            "/usr/bin/python3", [Path.Combine(Folder, $"{role}.py"), .. arguments], "ECHO_DESCRIPTOR", EchoReflection.Descriptor.SerializedData.ToBase64()));

    public string Name { get; }

    /// <summary>Why it cannot be tested against; null where it can.</summary>
    public string? Missing { get; }

    public static OfficialPeer Named(string name) => name == JavaScript.Name ? JavaScript : Python;

    /// <param name="role">"client" or "server".</param>
    /// <param name="arguments">Of the script.</param>
    public Process Start(string role, params string[] arguments) => _start(role, arguments);

    private static string Folder => Path.Combine(Repository(), "tests", "Grpc", "interop");

    private static readonly Lazy<string> Packages = new(() => Run("bash", [Path.Combine(Folder, "ensure.sh")], out int exit).Trim() is var path && exit == 0
        ? Path.Combine(path, "node_modules")
        : throw new InvalidOperationException($"interop/ensure.sh ended with {exit}: the npm packages are not there. {path}"));

    private static Process Start(string program, string[] arguments, string variable, string value)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment[variable] = value;
        return Process.Start(start)!;
    }

    private static string Run(string program, string[] arguments, out int exit)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = program != "bash" })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        exit = process.ExitCode;
        return output;
    }

    private static bool CanImport()
    {
        if (!File.Exists("/usr/bin/python3")) return false;
        Run("/usr/bin/python3", ["-c", "import grpc.aio, google.protobuf"], out int exit);
        return exit == 0;
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

/// <summary>Runs a theory against @grpc/grpc-js: its first argument is the peer's name. Skipped, with the reason, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class JavaScriptAttribute(params object[] rest) : OfficialPeerDataAttribute(OfficialPeer.JavaScript, rest);

/// <summary>Runs a theory against python3-grpcio: its first argument is the peer's name. Skipped, with the reason, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonAttribute(params object[] rest) : OfficialPeerDataAttribute(OfficialPeer.Python, rest);

/// <summary>One row for each of the further values; one row without any.</summary>
public abstract class OfficialPeerDataAttribute : DataAttribute
{
    private readonly OfficialPeer _peer;
    private readonly object[] _rest;

    protected OfficialPeerDataAttribute(OfficialPeer peer, object[] rest)
    {
        (_peer, _rest) = (peer, rest);
        Skip = peer.Missing;
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        _rest.Length == 0 ? [[_peer.Name]] : _rest.Select(value => new[] { _peer.Name, value });
}
