namespace Recsys.Datasets;

/// <summary>What <c>recsys import</c> is given.</summary>
/// <param name="Sources">Source folders; their formats are recognised. May be empty when the files are named one by one.</param>
/// <param name="Out">The dataset folder to build.</param>
public sealed record ImportOptions(IReadOnlyList<string> Sources, string Out)
{
    /// <summary>Replaces an existing dataset folder.</summary>
    public bool Force { get; init; }

    /// <summary>The dataset's name; null: that of the source.</summary>
    public string? Name { get; init; }

    /// <summary>"user item item …" a line.</summary>
    public string? Sequences { get; init; }

    /// <summary>CSV with user, item, timestamp.</summary>
    public string? Interactions { get; init; }

    /// <summary>.tsv or .jsonl.</summary>
    public string? Items { get; init; }

    /// <summary>The id's column or key in the items file; null: the first column.</summary>
    public string? ItemIdColumn { get; init; }

    /// <summary>.npy files by name.</summary>
    public IReadOnlyDictionary<string, string> Embeddings { get; init; } = new Dictionary<string, string>();

    /// <summary>A ZIP archive or a folder.</summary>
    public string? Images { get; init; }

    /// <summary>The folder movielens-posters, for movielens-100k.</summary>
    public string? Posters { get; init; }

    public string? Licence { get; init; }

    /// <summary>Whether the interactions were simulated; null: as the source says.</summary>
    public bool? Simulated { get; init; }
}

/// <summary>What an import built.</summary>
/// <param name="Format">How the source was recognised.</param>
/// <param name="ItemsWithImage">Items whose picture is in the archive or folder.</param>
/// <param name="Notes">What was left out or decided, and why.</param>
public sealed record ImportReport(
    string Name, string Path, string Format, int Users, int Items, long Interactions, int ItemsWithImage, IReadOnlyList<string> Embeddings, IReadOnlyList<string> Notes);
