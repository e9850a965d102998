namespace Recsys.Catalog.Ports;

/// <summary>Everything a request answers from: one version, its table, its models. Captured once, at the request's start.</summary>
public interface ISnapshot
{
    /// <summary>The version that every answer names.</summary>
    string Version { get; }

    ItemTable Items { get; }

    /// <summary>The loaded part that implements <typeparamref name="T"/> (an <see cref="IRecommender"/>, a codebook, a painter); null when
    /// the version has none.</summary>
    T? Find<T>()
        where T : class;
}

/// <summary>Hands out the current snapshot; a lease keeps it alive until the request ends, even if a swap happens meanwhile.</summary>
public interface ISnapshots
{
    /// <exception cref="CatalogException">FailedPrecondition: no version is active.</exception>
    SnapshotLease Acquire();
}

/// <summary>Keeps one snapshot alive; dispose it when the request ends.</summary>
/// <param name="stale">Whether what the store says is not known lately, or a newer version could not be loaded.</param>
public sealed class SnapshotLease(ISnapshot snapshot, Action release, bool stale = false) : IDisposable
{
    private Action? _release = release;

    public ISnapshot Snapshot { get; } = snapshot;

    /// <summary>The snapshot may not be the newest that there is: the store is silent, or a newer version is damaged.</summary>
    public bool Stale { get; } = stale;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

/// <summary>One loaded part of a version. Thread-safe; disposed once, after the last request that uses its version.</summary>
public interface IVersionPart : IDisposable
{
    /// <summary>
    /// The same part over a table that begins with this part's items, itself where it does not look at them. Shares the weights, which
    /// are the loaded part's: what is made here is disposed before that one, in any order among its like.
    /// </summary>
    IVersionPart WithItems(ItemTable items);

    /// <summary>
    /// The same part having seen new interactions, itself where it does not learn from them. Shares as <see cref="WithItems"/> does.
    /// </summary>
    /// <param name="interactions">In their order, each with the items that its user touched before, oldest first; item indexes.</param>
    IVersionPart WithInteractions(IReadOnlyList<(IReadOnlyList<int> Before, int Item)> interactions) => this;
}

/// <summary>Loads one part of a version and warms it up.</summary>
public interface IVersionPartLoader
{
    /// <summary>codebook, retrieval or creative; also the part's sub-folder.</summary>
    string Name { get; }

    /// <summary>Null when the version lacks this part.</summary>
    /// <exception cref="CatalogException">DataLoss: its files are damaged.</exception>
    IVersionPart? Load(VersionFolder folder, ItemTable items);
}
