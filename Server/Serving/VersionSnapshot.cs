using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>
/// One version with the items appended to it so far. Immutable: an appended item or a swap makes another snapshot. Counted, and holds
/// its version: the parts made for its table go with its last lease, the version's weights with its last snapshot.
/// </summary>
internal sealed class VersionSnapshot : Counted, ISnapshot
{
    private readonly LoadedVersion _loaded;
    private readonly IReadOnlyList<IVersionPart> _parts;

    /// <param name="loaded">This snapshot takes the caller's reference over.</param>
    public VersionSnapshot(LoadedVersion loaded)
        : this(loaded, loaded.Folder.Items, loaded.Parts)
    {
    }

    private VersionSnapshot(LoadedVersion loaded, ItemTable items, IReadOnlyList<IVersionPart> parts) =>
        (_loaded, Items, _parts) = (loaded, items, parts);

    public string Version => _loaded.Folder.Version;

    public ItemTable Items { get; }

    public T? Find<T>()
        where T : class => _parts.OfType<T>().FirstOrDefault();

    /// <summary>The same version over this table with items appended; takes time for those alone. The caller holds this one.</summary>
    public VersionSnapshot With(ItemTable items)
    {
        var parts = new List<IVersionPart>();
        try
        {
            parts.AddRange(_parts.Select(part => part.WithItems(items)));
        }
        catch
        {
            DisposeOwn(parts);
            throw;
        }

        _loaded.TryRetain(); // cannot fail: this snapshot holds it
        return new VersionSnapshot(_loaded, items, parts);
    }

    protected override void End()
    {
        DisposeOwn(_parts);
        _loaded.Release();
    }

    private void DisposeOwn(IEnumerable<IVersionPart> parts)
    {
        foreach (var part in parts.Except(_loaded.Parts))
        {
            part.Dispose();
        }
    }
}
