using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Recsys.Torch.Tests;

/// <summary>The code of the models against TorchSharp's names.</summary>
public sealed partial class TorchSharpBackendTests
{
    private static readonly string Root = FindRoot();

    /// <summary>Against TorchSharp's managed package, which needs no libtorch to compile against.</summary>
    [TorchSharpFact]
    public void They_compile_against_TorchSharp()
    {
        string[] build = ["build", Path.Combine(Root, "Recsys.TorchSharp.slnf"), "-c", "Release", "-v", "quiet", "-nologo", "-clp:NoSummary"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", [.. build, .. Backend]) { RedirectStandardOutput = true })!;
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, said);
    }

    internal static string[] Backend { get; } = ["-p:TorchBackend=TorchSharp", "-p:TorchSharpPackage=TorchSharp"];

    /// <summary>A name of one backend would bind the file to it; the names come from Torch.Usings.props.</summary>
    [Theory]
    [InlineData("Embeddings")]
    [InlineData("Quantizer")]
    [InlineData("Retrieval")]
    [InlineData("Diffusion")]
    public void It_names_no_backend(string project)
    {
        var found = from file in Directory.EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories)
                    from line in File.ReadLines(file)
                    where BackendName().IsMatch(line)
                    select $"{file}: {line.Trim()}";
        Assert.Empty(found);
    }

    // Dispatcher reaches libtorch beside TorchSharp's names, so code that calls it compiles on one backend alone.
    [GeneratedRegex(@"\bRecsys\.Torch\b|\bTorchSharp\.|\bDispatcher\.")]
    private static partial Regex BackendName();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Recsys.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No folder above the tests holds Recsys.sln.");
        }

        return folder.FullName;
    }
}

/// <summary>Skipped where the package is not in the machine's cache, to which <c>tests/run</c> restores it if it is to be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchSharpFactAttribute : FactAttribute
{
    public TorchSharpFactAttribute()
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        if (!Directory.Exists(Path.Combine(cache, "torchsharp")))
        {
            Skip = "The package TorchSharp is not in the cache; restore it with dotnet restore Platform/Torch " + string.Join(' ', TorchSharpBackendTests.Backend);
        }
    }
}
