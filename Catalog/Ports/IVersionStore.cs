namespace Recsys.Catalog.Ports;

/// <summary>
/// The system of record: immutable version folders under one root. A folder is written under a staging name, sealed by its
/// manifest, and only then renamed into place; what has no valid manifest is no version.
/// </summary>
public interface IVersionStore
{
    /// <summary>The root folder.</summary>
    string Root { get; }

    /// <summary>Sealed versions, oldest first; damaged or unfinished folders are left out.</summary>
    IReadOnlyList<VersionManifest> List();

    /// <summary>Opens a sealed version after checking every file against its manifest.</summary>
    /// <exception cref="CatalogException">NotFound; DataLoss with the file that is missing, truncated or altered.</exception>
    VersionFolder Open(string version);

    /// <summary>Starts a new version in a staging folder; leftovers of interrupted rebuilds are removed.</summary>
    IVersionWriter Begin(string version);

    /// <summary>Durably notes items appended to a version, beside its folder, with one fsync before it returns.</summary>
    void Append(string version, params IReadOnlyList<AppendedItem> items);

    /// <summary>Removes a version's folder and its journal, for good. That it is not active is the caller's to see to.</summary>
    /// <exception cref="CatalogException">NotFound.</exception>
    void Remove(string version);

    /// <summary>Items appended to a version so far, in order; a torn last line is passed over.</summary>
    IReadOnlyList<AppendedItem> Appended(string version);
}

/// <summary>A version being written. Disposing it unsealed removes everything it wrote.</summary>
public interface IVersionWriter : IDisposable
{
    string Version { get; }

    /// <summary>An absolute path inside the staging folder, its parent folders made.</summary>
    string PathOf(string relative);

    /// <summary>Writes the item table's file.</summary>
    void WriteItems(ItemTable items);

    /// <summary>Hashes every file, fsyncs, writes the manifest last and renames the folder into place.</summary>
    VersionFolder Seal(VersionDescription description);
}

/// <summary>What a rebuild says of the version that it made; goes into the manifest.</summary>
/// <param name="Dataset">Name of the dataset.</param>
/// <param name="Seed">The rebuild's seed.</param>
/// <param name="CodebookSizes">Codes at each level.</param>
/// <param name="Items">Items in the table.</param>
/// <param name="Metrics">Gate metrics by name (recall@10, collisions, coverage…).</param>
/// <param name="EventsUntil">When the newest live interaction was noted that it learned from; null: it has seen none.</param>
public sealed record VersionDescription(
    string Dataset, long Seed, int[] CodebookSizes, int Items, IReadOnlyDictionary<string, double> Metrics,
    DateTimeOffset? EventsUntil = null);

/// <summary>The manifest of a version: written last, immutable.</summary>
/// <param name="Files">SHA-256 (lower-case hex) and length of each file by relative path.</param>
public sealed record VersionManifest(
    string Version, DateTimeOffset Created, VersionDescription Description, IReadOnlyDictionary<string, ManifestFile> Files);

public sealed record ManifestFile(long Length, string Sha256);

/// <summary>A sealed version on disk.</summary>
public sealed record VersionFolder(string Version, string Root, VersionManifest Manifest, ItemTable Items)
{
    /// <summary>The absolute path of one of its files.</summary>
    public string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Whether the manifest lists the file.</summary>
    public bool Has(string relative) => Manifest.Files.ContainsKey(relative);
}
