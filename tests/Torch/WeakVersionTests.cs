using System.Collections;
using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Build.Framework;
using Recsys.Build;

namespace Recsys.Torch.Tests;

/// <summary>What the build does to libtorch's files, seen in this test's own output folder and on copies.</summary>
public sealed class WeakVersionTests : IDisposable
{
    private const string Wanted = "GLIBCXX_3.4.32";

    private static readonly string Deployed = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native");

    private static readonly string Packages =
        typeof(WeakVersionTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Packages").Value!;

    private static readonly string Package = PackageFile("libLibTorchSharp.so");

    private readonly TemporaryFolder _folder = new();

    private static bool SystemHasIt =>
        Encoding.Latin1.GetString(File.ReadAllBytes(Loaded("libstdc++.so.6"))).Contains(Wanted + "\0", StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_deployed_library_is_the_one_that_is_loaded()
    {
        using var one = ones(1);
        Assert.Equal(Identity(Path.Combine(Deployed, "libLibTorchSharp.so")), Identity(Loaded("libLibTorchSharp.so")));
    }

    [Fact]
    public void It_differs_from_the_packages_own_in_the_weak_flag_where_the_system_is_older_and_in_nothing_else()
    {
        var (package, deployed) = (File.ReadAllBytes(Package), File.ReadAllBytes(Path.Combine(Deployed, "libLibTorchSharp.so")));
        AssertOnlyMadeWeak(package, deployed);
    }

    [Fact]
    public void A_hard_link_to_the_packages_file_is_replaced_and_the_file_itself_stays()
    {
        string original = _folder["original.so"], link = _folder["link.so"];
        File.Copy(Package, original);
        Output("ln", original, link);
        Assert.True(Run(link));
        Assert.Equal(File.ReadAllBytes(Package), File.ReadAllBytes(original));
        AssertOnlyMadeWeak(File.ReadAllBytes(original), File.ReadAllBytes(link));
        Assert.Equal(File.GetLastWriteTimeUtc(original), File.GetLastWriteTimeUtc(link)); // the next build's copy leaves it

        byte[] once = File.ReadAllBytes(link);
        Assert.True(Run(link));
        Assert.Equal(once, File.ReadAllBytes(link));
        Assert.Equal([link, original], Directory.GetFiles(_folder.Path).Order());
    }

    [Fact]
    public void A_library_that_does_not_ask_for_the_version_stays_as_it_is()
    {
        string library = _folder["other.so"];
        File.Copy(PackageFile("libtorch.so"), library);
        Assert.True(Run(library));
        Assert.Equal(File.ReadAllBytes(PackageFile("libtorch.so")), File.ReadAllBytes(library));
    }

    [Fact]
    public void Libtorch_lies_on_the_disk_once()
    {
        var (package, deployed) = (PackageFile("libtorch_cpu.so"), Path.Combine(Deployed, "libtorch_cpu.so"));
        var (one, other) = (Identity(package), Identity(deployed));
        Assert.True(one == other || one.Device != other.Device, $"{deployed} is a copy of {package}, both on device {one.Device}");
    }

    // The one change that is allowed: flag 2 of the entry for the wanted version in the table of needed versions.
    private static void AssertOnlyMadeWeak(byte[] package, byte[] deployed)
    {
        Assert.Equal(package.Length, deployed.Length);
        int[] changed = [.. Enumerable.Range(0, package.Length).Where(at => package[at] != deployed[at])];
        if (SystemHasIt)
        {
            Assert.Empty(changed);
            return;
        }

        int flags = Assert.Single(changed);
        Assert.Equal((0, 2), (package[flags], deployed[flags]));
        Assert.Equal(Hash(Wanted), BitConverter.ToUInt32(deployed, flags - 4)); // vna_hash stands before vna_flags
    }

    // The hash of names in ELF files (System V ABI, chapter 5).
    private static uint Hash(string name) => name.Aggregate(0u, (hash, letter) =>
    {
        hash = (hash << 4) + letter;
        uint high = hash & 0xF0000000;
        return (hash ^ (high >> 24)) & ~high;
    });

    private static string PackageFile(string name)
    {
        using var graph = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Recsys.Torch.Tests.deps.json")));
        return graph.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.TryGetProperty("path", out _))
            .Select(library => Path.Combine(Packages, library.Value.GetProperty("path").GetString()!, "runtimes/linux-x64/native", name))
            .Single(File.Exists);
    }

    // The file behind a library of this process; libtorch, and with it libstdc++, is there by then.
    private static string Loaded(string name)
    {
        _ = get_num_threads();
        string line = File.ReadLines("/proc/self/maps").First(line => line.Contains("/" + name, StringComparison.Ordinal));
        return line[line.IndexOf('/', StringComparison.Ordinal)..];
    }

    private static (string Device, string Inode) Identity(string path)
    {
        string[] parts = Output("stat", "-L", "-c", "%d %i", path).Split();
        return (parts[0], parts[1]);
    }

    private static string Output(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
        return output;
    }

    private static bool Run(string library) => new WeakVersion { Library = library, BuildEngine = new Engine() }.Execute();

    /// <summary>MSBuild as far as the task sees it: errors are failures, the rest is for the log.</summary>
    private sealed class Engine : IBuildEngine
    {
        public bool ContinueOnError => false;

        public int LineNumberOfTaskNode => 0;

        public int ColumnNumberOfTaskNode => 0;

        public string ProjectFileOfTaskNode => "";

        public bool BuildProjectFile(string project, string[] targets, IDictionary properties, IDictionary outputs) => false;

        public void LogCustomEvent(CustomBuildEventArgs e)
        {
        }

        public void LogErrorEvent(BuildErrorEventArgs e) => Assert.Fail(e.Message);

        public void LogMessageEvent(BuildMessageEventArgs e)
        {
        }

        public void LogWarningEvent(BuildWarningEventArgs e) => Assert.Fail(e.Message);
    }
}
