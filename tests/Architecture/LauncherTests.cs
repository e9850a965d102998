using System.Diagnostics;

namespace Recsys.Architecture.Tests;

/// <summary>
/// The launcher against stand-ins of the tools it calls: <c>dpkg-query</c>, <c>apt-get</c>, <c>id</c>, <c>cmake</c> and <c>dotnet</c> write down
/// what they were asked, and do of it what the launcher looks for afterwards.
/// </summary>
public sealed class LauncherTests : IDisposable
{
    private static readonly string[] Folders = ["Platform/Native", "Imaging", "Catalog", "Embeddings", "Store", "Quantizer", "Retrieval", "Diffusion", "Protos", "Jobs", "Server", "tests"];
    private readonly string _root = Directory.CreateTempSubdirectory("recsys-launcher-").FullName;

    public LauncherTests()
    {
        foreach (string folder in Folders)
        {
            Directory.CreateDirectory(Path.Combine(_root, folder));
            File.WriteAllText(Path.Combine(_root, folder, "source.cs"), "");
        }

        File.Copy(Path.Combine(RepositoryRoot.Path, "recsys"), Path.Combine(_root, "recsys"));
        foreach (string file in new[] { "Directory.Build.props", ".editorconfig", "global.json" })
        {
            File.WriteAllText(Path.Combine(_root, file), "");
        }

        Directory.CreateDirectory(Path.Combine(_root, "bin"));
        Tool("id", "echo ${FAKE_USER:-0}");
        Tool("dpkg-query", "[ -f \"$ROOT/installed\" ] && for p in \"$@\"; do echo \"$p installed\"; done; true");
        Tool("apt-get", "echo \"apt-get $*\" >> \"$ROOT/calls\"; case \"$*\" in *install*) touch \"$ROOT/installed\";; esac");
        Tool("cmake", """
            case "$*" in
              --build*) echo "native" >> "$ROOT/calls"; [ -z "${FAKE_DIE:-}" ] || kill -9 $PPID; sleep 0.3; echo library > "$2/librecsys_native.so";;
            esac
            """);
        Tool("dotnet", "case \"$1\" in build) echo \"managed\" >> \"$ROOT/calls\"; sleep 0.3;; *) echo \"ran ${@:2}\";; esac");
    }

    [Fact]
    public void On_a_bare_machine_it_installs_then_builds_then_runs_and_the_next_call_only_runs()
    {
        Assert.Equal((0, "ran demo --quick\n"), Run("demo", "--quick"));
        Assert.Equal(["apt-get update", "apt-get install", "native", "managed"], Calls().Select(call => string.Join(' ', call.Split(' ').Take(2))));
        File.Delete(Path.Combine(_root, "calls"));
        Assert.Equal((0, "ran demo --quick\n"), Run("demo", "--quick"));
        Assert.Empty(Calls());
    }

    [Fact]
    public void A_changed_source_is_built_again_and_nothing_else()
    {
        Run("demo");
        File.Delete(Path.Combine(_root, "calls"));
        string source = Path.Combine(_root, "Server", "source.cs");
        File.SetLastWriteTimeUtc(source, DateTime.UtcNow.AddSeconds(5));
        Run("demo");
        Assert.Equal(["managed"], Calls());
        File.WriteAllText(Path.Combine(_root, "Platform", "Native", "source.cs"), "other");
        Run("demo");
        Assert.Contains("native", Calls());
    }

    [Fact]
    public void Without_root_it_prints_the_one_command_and_touches_nothing()
    {
        var (code, output) = Run(("FAKE_USER", "1000"), "demo");
        Assert.Equal(69, code);
        Assert.Matches("apt-get update && apt-get install -y --no-install-recommends [a-z].*libtorch-dev", output);
        Assert.Empty(Calls());
        File.WriteAllText(Path.Combine(_root, "installed"), ""); // someone with root ran it
        Assert.Equal((0, "ran demo\n"), Run(("FAKE_USER", "1000"), "demo"));
    }

    [Fact]
    public async Task Two_at_once_build_once()
    {
        var both = await Task.WhenAll(Task.Run(() => Run("demo")), Task.Run(() => Run("demo")));
        Assert.All(both, result => Assert.Equal(0, result.Code));
        Assert.All(both, result => Assert.Contains("ran demo", result.Output, StringComparison.Ordinal));
        Assert.Equal(4, Calls().Length);
    }

    [Fact]
    public void Killed_in_the_middle_of_a_build_it_resumes_where_it_was()
    {
        Assert.NotEqual(0, Run(("FAKE_DIE", "1"), "demo").Code);
        Assert.DoesNotContain("managed", Calls());
        File.Delete(Path.Combine(_root, "calls"));
        Assert.Equal((0, "ran demo\n"), Run("demo"));
        Assert.Equal(["native", "managed"], Calls()); // the packages were there already
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string[] Calls() => File.Exists(Path.Combine(_root, "calls")) ? File.ReadAllLines(Path.Combine(_root, "calls")) : [];

    private void Tool(string name, string body)
    {
        string file = Path.Combine(_root, "bin", name);
        File.WriteAllText(file, $"#!/bin/bash\nROOT={_root}\n{body}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private (int Code, string Output) Run(params string[] arguments) => Run(("FAKE_USER", "0"), arguments);

    private (int Code, string Output) Run((string Name, string Value) variable, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/bash", [Path.Combine(_root, "recsys"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = Path.Combine(_root, "bin") + ":/usr/bin:/bin";
        start.Environment.Remove("LIBTORCH");
        start.Environment[variable.Name] = variable.Value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
    }
}
