using System.Diagnostics;
using System.Text.Json;

namespace Recsys.Architecture.Tests;

/// <summary>
/// The launcher against stand-ins of the tools it calls: <c>dpkg-query</c>, <c>apt-get</c>, <c>id</c> and <c>dotnet</c> write down
/// what they were asked, and do of it what the launcher looks for afterwards.
/// </summary>
public sealed class LauncherTests : IDisposable
{
    private static readonly string[] Folders =
    [
        "Torch", "Faiss", "Mpi", "Imaging", "Catalog", "Files", "Datasets", "Embeddings", "Store", "Quantizer", "Retrieval", "Diffusion",
        "Protos", "Jobs", "Server", "bench", "Cli", "build", "tests",
    ];

    private readonly string _root = Directory.CreateTempSubdirectory("recsys-launcher-").FullName;

    public LauncherTests()
    {
        foreach (string folder in Folders)
        {
            Directory.CreateDirectory(Path.Combine(_root, folder));
            File.WriteAllText(Path.Combine(_root, folder, "source.cs"), "");
        }

        File.Copy(Path.Combine(RepositoryRoot.Path, "recsys"), Path.Combine(_root, "recsys"));
        foreach (string file in new[] { "Directory.Build.props", "Directory.Build.targets", ".editorconfig", "global.json" })
        {
            File.WriteAllText(Path.Combine(_root, file), "");
        }

        File.WriteAllText(
            Path.Combine(_root, "Directory.Packages.props"), """<PackageVersion Include="libtorch-cpu-linux-x64" Version="7.8.9" />""");
        Directory.CreateDirectory(Path.Combine(_root, "bin"));
        Tool("id", "echo ${FAKE_USER:-0}");
        Tool("dpkg-query", """
            [ -f "$ROOT/installed" ] || exit 1
            case "$*" in *Version*) printf '1.0-"odd"\\one';; *) for p in "$@"; do echo "$p installed"; done;; esac
            """);
        Tool("apt-get", "echo \"apt-get $*\" >> \"$ROOT/calls\"; case \"$*\" in *install*) touch \"$ROOT/installed\";; esac");
        Tool("dotnet", """
            case "$*" in
              build*) echo "build" >> "$ROOT/calls"; [ -z "${FAKE_DIE:-}" ] || kill -9 $PPID; sleep 0.3
                mkdir -p "$ROOT/artifacts/native" "$ROOT/artifacts/bin/Recsys.Cli/release"
                touch "$ROOT"/artifacts/native/librecsys_{kernels,faiss}.so "$ROOT/artifacts/bin/Recsys.Cli/release/recsys.dll";;
              test*) echo "${FAKE_RESULT:-Passed!  - Failed:     0, Passed:    20, Skipped:     1, Total:    21}"; exit ${FAKE_TESTS:-0};;
              *"doctor --json") echo '{"ok":true,"libtorch":"7.8.9"}'; exit ${FAKE_DOCTOR:-0};;
              *" allocator") echo "${LD_PRELOAD:-none} ${MALLOC_CONF:-none}";;
              *) echo "ran ${@:2}";;
            esac
            """);
    }

    [Fact]
    public void On_a_bare_machine_it_installs_then_builds_then_runs_and_the_next_call_only_runs()
    {
        Assert.Equal((0, "ran demo --quick\n"), Run("demo", "--quick"));
        Assert.Equal(["apt-get update", "apt-get install", "build"], Calls().Select(call => string.Join(' ', call.Split(' ').Take(2))));
        File.Delete(Path.Combine(_root, "calls"));
        Assert.Equal((0, "ran demo --quick\n"), Run("demo", "--quick"));
        Assert.Empty(Calls());
    }

    [Fact]
    public void Every_verb_runs_on_jemalloc_unless_told_otherwise()
    {
        const string Library = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
        string settings = File.Exists(Library) ? $"{Library} oversize_threshold:0,dirty_decay_ms:2000" : "none none";
        Assert.StartsWith(settings, Run("allocator").Output, StringComparison.Ordinal);
        Assert.Equal("none none\n", Run(("LD_PRELOAD", ""), "allocator").Output);
        Assert.EndsWith(
            File.Exists(Library) ? " thp:never\n" : "thp:never\n", Run(("MALLOC_CONF", "thp:never"), "allocator").Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_cleaned_by_hand_is_built_again()
    {
        Run("demo");
        File.Delete(Path.Combine(_root, "calls"));
        File.Delete(Path.Combine(_root, "artifacts/bin/Recsys.Cli/release/recsys.dll"));
        Assert.Equal((0, "ran demo\n"), Run("demo"));
        Assert.Equal(["build"], Calls());
    }

    [Theory]
    [InlineData("Cli/source.cs")]
    [InlineData("Torch/source.cs")]
    [InlineData("bench/source.cs")]
    [InlineData("build/source.cs")]
    [InlineData("Directory.Build.targets")]
    public void A_changed_source_is_built_again_and_nothing_else(string file)
    {
        Run("demo");
        File.Delete(Path.Combine(_root, "calls"));
        File.SetLastWriteTimeUtc(Path.Combine(_root, file), DateTime.UtcNow.AddSeconds(5));
        Run("demo");
        Assert.Equal(["build"], Calls());
    }

    [Fact]
    public void The_first_build_says_what_it_downloads_unless_it_is_there_already()
    {
        Assert.Matches("downloads about [0-9]+ MB of NuGet packages", RunFor(["demo"]).Error);
        File.SetLastWriteTimeUtc(Path.Combine(_root, "Server", "source.cs"), DateTime.UtcNow.AddSeconds(5));
        Directory.CreateDirectory(Path.Combine(_root, ".nuget/packages/libtorch-cpu-linux-x64/7.8.8")); // an older one does not count
        Assert.Contains("downloads about", RunFor(["demo"]).Error, StringComparison.Ordinal);
        File.SetLastWriteTimeUtc(Path.Combine(_root, "Server", "source.cs"), DateTime.UtcNow.AddSeconds(10));
        Directory.CreateDirectory(Path.Combine(_root, ".nuget/packages/libtorch-cpu-linux-x64/7.8.9"));
        string last = RunFor(["demo"]).Error;
        Assert.Contains("building", last, StringComparison.Ordinal);
        Assert.DoesNotContain("downloads", last, StringComparison.Ordinal);
    }

    [Fact]
    public void The_doctor_says_what_is_missing_and_neither_installs_nor_builds()
    {
        var (code, output) = Run("doctor");
        Assert.Equal(69, code);
        Assert.Matches(@"missing +redis-server +apt-get update && apt-get install", output);
        var sick = Examined(69);
        Assert.False(sick.GetProperty("ok").GetBoolean());
        Assert.Equal(JsonValueKind.Null, sick.GetProperty("program").ValueKind);
        Assert.Empty(Calls());

        Run("demo");
        var well = Examined(0);
        Assert.True(well.GetProperty("ok").GetBoolean());
        Assert.All(
            well.GetProperty("machine").EnumerateArray(), thing => Assert.True(thing.GetProperty("ok").GetBoolean(), thing.ToString()));
        Assert.Equal("1.0-\"odd\"\\one", Named(well, "g++").GetProperty("text").GetString());
        Assert.Equal("7.8.9", well.GetProperty("program").GetProperty("libtorch").GetString());
        Assert.False(Examined(69, ("FAKE_DOCTOR", "69")).GetProperty("ok").GetBoolean()); // the program misses something
        var dead = Examined(69, ("FAKE_DOCTOR", "134")); // it does not start
        Assert.False(Named(dead, "program").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Without_root_it_prints_the_one_command_and_touches_nothing()
    {
        var (code, output) = Run(("FAKE_USER", "1000"), "demo");
        Assert.Equal(69, code);
        Assert.Contains(
            "apt-get update && apt-get install -y --no-install-recommends g++ libfaiss-dev libjemalloc2 libopenblas0-openmp redis-server",
            output, StringComparison.Ordinal);
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
        Assert.Equal(3, Calls().Length); // update, install, build
    }

    [Fact]
    public void Killed_in_the_middle_of_a_build_it_resumes_where_it_was()
    {
        Assert.NotEqual(0, Run(("FAKE_DIE", "1"), "demo").Code);
        File.Delete(Path.Combine(_root, "calls"));
        Assert.Equal((0, "ran demo\n"), Run("demo"));
        Assert.Equal(["build"], Calls()); // the packages were there already
    }

    [Theory]
    [InlineData("Passed!  - Failed:     0, Passed:    20, Skipped:     1, Total:    21", "0", 0, "40 passed, 0 failed, 2 skipped")]
    [InlineData("Failed!  - Failed:     2, Passed:    18, Skipped:     1, Total:    21", "1", 1, "36 passed, 4 failed, 2 skipped")]
    [InlineData("the host crashed", "1", 1, "0 passed, 2 failed, 0 skipped")]
    public void The_tests_run_project_by_project_and_close_with_one_line(string says, string exits, int code, string closing)
    {
        File.Copy(Path.Combine(RepositoryRoot.Path, "tests", "run"), Path.Combine(_root, "tests", "run"));
        foreach (string project in new[] { "One", "Two" })
        {
            Directory.CreateDirectory(Path.Combine(_root, "tests", project));
            File.WriteAllText(Path.Combine(_root, "tests", project, project + ".csproj"), "");
        }

        var run = RunFor(["test"], ("FAKE_RESULT", says), ("FAKE_TESTS", exits));
        Assert.Equal((code, closing), (run.Code, run.Output.TrimEnd().Split('\n')[^1]));
        Assert.Matches("install .*python3-grpcio python3-protobuf", string.Join('\n', Calls()));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string[] Calls() => File.Exists(Path.Combine(_root, "calls")) ? File.ReadAllLines(Path.Combine(_root, "calls")) : [];

    private void Tool(string name, string body)
    {
        string file = Path.Combine(_root, "bin", name);
        File.WriteAllText(file, $"#!/bin/bash\nROOT={_root}\n{body}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static JsonElement Named(JsonElement examined, string name) =>
        examined.GetProperty("machine").EnumerateArray().Single(thing => thing.GetProperty("name").GetString() == name);

    private JsonElement Examined(int expected, params (string Name, string Value)[] variables)
    {
        var (code, output, _) = RunFor(["doctor", "--json"], variables);
        Assert.Equal(expected, code);
        return JsonDocument.Parse(output).RootElement;
    }

    private (int Code, string Output) Run(params string[] arguments) => Run(("FAKE_USER", "0"), arguments);

    private (int Code, string Output) Run((string Name, string Value) variable, params string[] arguments)
    {
        var (code, output, error) = RunFor(arguments, variable);
        return (code, code == 0 ? output : output + error);
    }

    private (int Code, string Output, string Error) RunFor(string[] arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("/bin/bash", [Path.Combine(_root, "recsys"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = Path.Combine(_root, "bin") + ":/usr/bin:/bin";
        start.Environment["HOME"] = _root;
        foreach (string inherited in (string[])["NUGET_PACKAGES", "LD_PRELOAD", "MALLOC_CONF"])
        {
            start.Environment.Remove(inherited);
        }

        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
