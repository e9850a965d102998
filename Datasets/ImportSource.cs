using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>What a recognised source offers to the importer; nothing of it is read before it is asked for.</summary>
internal sealed record ImportSource(string Format, DatasetDescription Description)
{
    /// <summary>Starts a pass over the items; null where the histories name them.</summary>
    public Func<IEnumerable<Item>>? Items { get; init; }

    /// <summary>A file in one of our own formats, taken over as it is.</summary>
    public string? InteractionFile { get; init; }

    /// <summary>Writes <c>interactions.csv</c> from a format that is not ours.</summary>
    public Action<Stream>? WriteInteractions { get; init; }

    public IReadOnlyDictionary<string, string> Embeddings { get; init; } = new Dictionary<string, string>();

    /// <summary>ZIP archive or folder.</summary>
    public string? Images { get; init; }

    public IReadOnlyList<string> Notes { get; init; } = [];
}
