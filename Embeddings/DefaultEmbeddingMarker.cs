using System.Security.Cryptography;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Embeddings;

/// <summary>
/// <c>embeddings/default.json</c>: which embeddings of a dataset were generated, from what. A file that it does not list, or whose
/// content is no longer the one it lists, is the user's own and is never overwritten.
/// </summary>
/// <param name="Seed">Of the run that wrote it.</param>
/// <param name="SplitSha256">Of the leave-one-out split that the collaborative counts respect; null without sequences.</param>
/// <param name="FitAll">Whether the counts saw held-out targets nevertheless.</param>
/// <param name="Options">All options of the run.</param>
/// <param name="Files">SHA-256 of each generated .npy by name; null while it is being written.</param>
public sealed record DefaultEmbeddingMarker(
    long Seed, string? SplitSha256, bool FitAll, DefaultEmbeddingOptions? Options, IReadOnlyDictionary<string, string?> Files)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The marker of a dataset folder; an empty one where there is none.</summary>
    /// <exception cref="CatalogException">DataLoss: it is no JSON of this shape.</exception>
    public static DefaultEmbeddingMarker Read(string dataset)
    {
        string path = PathOf(dataset);
        if (!File.Exists(path))
        {
            return new DefaultEmbeddingMarker(0, null, false, null, new Dictionary<string, string?>());
        }

        try
        {
            var marker = JsonSerializer.Deserialize<DefaultEmbeddingMarker>(File.ReadAllBytes(path), Json);
            return marker?.Files is null ? throw new JsonException("'files' is missing") : marker;
        }
        catch (JsonException fault)
        {
            throw CatalogException.Damaged(
                $"'{path}' is damaged: {fault.Message} Delete it together with the generated .npy files beside it and run again.", fault);
        }
    }

    public void Write(string dataset)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(dataset))!);
        AtomicFile.WriteText(PathOf(dataset), JsonSerializer.Serialize(this, Json) + "\n");
    }

    /// <summary>Whether an embedding's file may be (re)generated: absent, or ours and unchanged.</summary>
    public bool MayWrite(string dataset, string name)
        => !File.Exists(FileOf(dataset, name)) || (Files.TryGetValue(name, out string? sha) && (sha is null || sha == Hash(dataset, name)));

    public DefaultEmbeddingMarker With(string name, string? sha256)
        => this with { Files = new SortedDictionary<string, string?>(Files.ToDictionary(), StringComparer.Ordinal) { [name] = sha256 } };

    public DefaultEmbeddingMarker Without(string name)
        =>
            this with { Files = new SortedDictionary<string, string?>(Files.Where(f => f.Key != name).ToDictionary(), StringComparer.Ordinal) };

    public static string Hash(string dataset, string name)
    {
        using var file = File.OpenRead(FileOf(dataset, name));
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string PathOf(string dataset) => Path.Combine(dataset, "embeddings", "default.json");

    private static string FileOf(string dataset, string name) => Path.Combine(dataset, "embeddings", name + ".npy");
}
