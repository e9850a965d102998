using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Recsys.Torch.Tests;

/// <summary>The code of the models against TorchSharp's names, where <c>TORCHSHARP_ASSEMBLY</c> names a managed TorchSharp.dll.</summary>
public sealed partial class TorchSharpBackendTests
{
    private static readonly string Root = FindRoot();

    [TorchSharpTheory]
    [InlineData("Embeddings")]
    [InlineData("Quantizer")]
    [InlineData("Retrieval")]
    [InlineData("Diffusion")]
    public void It_compiles_against_TorchSharp(string project)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                "build", Path.Combine(Root, project), "-c", "Release", "-v", "quiet", "-nologo", "-clp:NoSummary",
                "-p:TorchBackend=TorchSharp", "-p:TorchSharpAssembly=" + TorchSharpTheoryAttribute.Assembly,
            },
            RedirectStandardOutput = true,
        };
        using var build = Process.Start(start)!;
        string said = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, said);
    }

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

[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchSharpTheoryAttribute : TheoryAttribute
{
    public TorchSharpTheoryAttribute()
    {
        if (!File.Exists(Assembly))
        {
            Skip = "TORCHSHARP_ASSEMBLY does not name a TorchSharp.dll.";
        }
    }

    internal static string? Assembly { get; } = Environment.GetEnvironmentVariable("TORCHSHARP_ASSEMBLY");
}
