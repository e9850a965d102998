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

    /// <summary>.csv, .parquet or .jsonl with columns for user, item and time.</summary>
    public string? Interactions { get; init; }

    /// <summary>A query over files that gives such columns, run by DuckDB with the user's own rights.</summary>
    public string? InteractionsSql { get; init; }

    /// <summary>.tsv, .jsonl, .csv or .parquet.</summary>
    public string? Items { get; init; }

    /// <summary>A query over files that gives items.</summary>
    public string? ItemsSql { get; init; }

    /// <summary>The interactions' columns; null: by their usual names.</summary>
    public string? UserColumn { get; init; }

    public string? ItemColumn { get; init; }

    public string? TimeColumn { get; init; }

    /// <summary>The id's column or key among the items; null: a usual name, else the first column.</summary>
    public string? ItemIdColumn { get; init; }

    public string? TitleColumn { get; init; }

    public string? ImageColumn { get; init; }

    /// <summary>Drops interactions and vectors of unknown items, and counts them; otherwise they are refused.</summary>
    public bool DropUnknown { get; init; }

    /// <summary>Keeps one of the interactions that have user, item and time in common.</summary>
    public bool DropDuplicates { get; init; }

    /// <summary>Keeps users and items that have so many interactions with each other, 1 and more; null: all.</summary>
    public int? KCore { get; init; }

    /// <summary>Counts items and pairs up to so many steps apart (1 to 100) into <c>counts/</c>; null: no counts.</summary>
    public int? PairWindow { get; init; }

    /// <summary>Share of the items that are kept out of all that learns, above 0 to below 1, drawn by <see cref="Seed"/>; null: none
    /// is.</summary>
    public double? ColdItems { get; init; }

    public long Seed { get; init; } = 17;

    /// <summary>Bytes that tables and sorts may use; null: 2 GiB, or half of the memory where that is less.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>.npy or .parquet files by name.</summary>
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
/// <param name="UnknownDropped">Interactions that were dropped because no item has their id.</param>
/// <param name="Notes">What was left out or decided, and why.</param>
public sealed record ImportReport(
    string Name, string Path, string Format, int Users, int Items, long Interactions, int ItemsWithImage,
    IReadOnlyList<string> Embeddings, long UnknownDropped, IReadOnlyList<string> Notes);
