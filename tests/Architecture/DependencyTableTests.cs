using System.Xml.Linq;

namespace Recsys.Architecture.Tests;

/// <summary>The dependency table of the house, read off the project files: everything that is not allowed is refused.</summary>
public sealed class DependencyTableTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Catalog"] = [],
        ["Torch"] = [],
        ["Faiss"] = [],
        ["Imaging"] = [],
        ["Mpi"] = [],
        ["Files"] = ["Catalog"],
        ["Protos"] = ["Catalog"],
        ["Datasets"] = ["Catalog", "Files"],
        ["Embeddings"] = ["Catalog", "Datasets", "Imaging", "Torch"],
        ["Store"] = ["Catalog", "Files"],
        ["Quantizer"] = ["Catalog", "Protos", "Torch", "Faiss"],
        ["Retrieval"] = ["Catalog", "Protos", "Torch", "Faiss"],
        ["Diffusion"] = ["Catalog", "Protos", "Torch", "Faiss", "Imaging"],
        ["Client"] = ["Protos"],
        ["Jobs"] = ["Catalog", "Torch", "Files", "Datasets", "Embeddings", "Quantizer", "Retrieval", "Diffusion"],
        ["Server"] =
        [
            "Catalog", "Protos", "Torch", "Faiss", "Imaging", "Files", "Datasets", "Embeddings", "Store", "Quantizer", "Retrieval",
            "Diffusion", "Jobs",
        ],
        ["Cli"] =
        [
            "Catalog", "Protos", "Torch", "Faiss", "Mpi", "Imaging", "Files", "Datasets", "Embeddings", "Store", "Quantizer", "Retrieval",
            "Diffusion", "Jobs", "Server", "bench",
        ],
        ["bench"] = ["Catalog", "Torch", "Faiss", "Quantizer", "Retrieval", "Diffusion"],
    };

    public static TheoryData<string> Projects()
    {
        var data = new TheoryData<string>();
        foreach (string file in ProductProjects())
        {
            data.Add(Folder(file));
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_table_allows(string folder)
    {
        Assert.True(Allowed.ContainsKey(folder), $"{folder} is not in the dependency table.");
        string file = Directory.GetFiles(Path.Combine(RepositoryRoot.Path, folder), "*.csproj").Single();
        var references = XDocument.Load(file).Descendants("ProjectReference")
            .Select(reference => reference.Attribute("Include")!.Value)
            .Select(path => Folder(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, path))));
        Assert.Empty(references.Except(Allowed[folder]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_what_it_references(string folder)
    {
        string root = Path.Combine(RepositoryRoot.Path, folder);
        string file = Directory.GetFiles(root, "*.csproj").Single();
        string sources = string.Concat(Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories)
            .Append(Path.Combine(RepositoryRoot.Path, "Torch/Torch.props")).Select(File.ReadAllText));
        var project = XDocument.Load(file);
        sources += string.Concat(project.Descendants("Using").Select(used => used.Attribute("Include")!.Value));
        var references = project.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        Assert.All(
            references, room => Assert.Contains(room == "Recsys.Protos" ? "Recsys.V1" : room, sources, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_project_of_the_table_exists()
    {
        Assert.Equal(Allowed.Keys.Order(), ProductProjects().Select(Folder).Order());
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Recsys.sln")).Replace('\\', '/');
        var projects = Directory.GetFiles(RepositoryRoot.Path, "*.csproj", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file).Replace('\\', '/'))
            .Where(file => !file.StartsWith("artifacts/", StringComparison.Ordinal)
                && !file.StartsWith("bench/before/", StringComparison.Ordinal)); // built beside an earlier commit
        Assert.All(projects, file => Assert.Contains($"\"{file}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_Store_references_the_Redis_client()
    {
        var users = ProductProjects()
            .Where(file => File.ReadAllText(file).Contains("StackExchange.Redis", StringComparison.Ordinal)).Select(Folder);
        Assert.Equal(["Store"], users);
    }

    [Fact]
    public void Only_Imaging_references_libvips()
    {
        var users = ProductProjects().Where(file => File.ReadAllText(file).Contains("NetVips", StringComparison.Ordinal)).Select(Folder);
        Assert.Equal(["Imaging"], users);
    }

    private static IEnumerable<string> ProductProjects() =>
        Directory.GetFiles(RepositoryRoot.Path, "*.csproj", SearchOption.AllDirectories)
            .Where(file => !Folder(file).StartsWith("tests/", StringComparison.Ordinal)
                && Folder(file) != "bench/before"
                && !Folder(file).StartsWith("artifacts", StringComparison.Ordinal)
                && !Folder(file).StartsWith("samples", StringComparison.Ordinal));

    private static string Folder(string project) =>
        Path.GetRelativePath(RepositoryRoot.Path, Path.GetDirectoryName(project)!).Replace('\\', '/');
}
