using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets;

/// <summary>What a recognised source offers to the importer; nothing of it is read before it is asked for.</summary>
internal sealed record ImportSource(string Format, DatasetDescription Description)
{
    /// <summary>Starts a pass over the items; null where the histories name them.</summary>
    public Func<IEnumerable<Item>>? Items { get; init; }

    /// <summary>A <c>sequences.txt</c>, taken over as it is.</summary>
    public string? Histories { get; init; }

    /// <summary>Interactions as a table of any size; null where there are none, or histories instead.</summary>
    public Func<TableEngine, TableSource>? Interactions { get; init; }

    public IReadOnlyDictionary<string, string> Embeddings { get; init; } = new Dictionary<string, string>();

    /// <summary>ZIP archive or folder.</summary>
    public string? Images { get; init; }

    public IReadOnlyList<string> Notes { get; init; } = [];
}
