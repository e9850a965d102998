using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>
/// One version with what came to it so far: appended items, live attributes, interactions. Immutable: whatever comes, or a swap, makes
/// another snapshot. Counted, and holds its version: the parts made for it go with its last lease, the version's weights with its last
/// snapshot.
/// </summary>
internal sealed class VersionSnapshot : Counted, ISnapshot
{
    private readonly LoadedVersion _loaded;
    private readonly IReadOnlyList<IVersionPart> _parts;
    private readonly IReadOnlyList<IVersionPart> _made; // parts of this snapshot's own, in the order in which they were made

    /// <param name="loaded">This snapshot takes the caller's reference over.</param>
    public VersionSnapshot(LoadedVersion loaded)
        : this(loaded, loaded.Folder.Items, loaded.Parts, [])
    {
    }

    private VersionSnapshot(LoadedVersion loaded, ItemTable items, IReadOnlyList<IVersionPart> parts, IReadOnlyList<IVersionPart> made) =>
        (_loaded, Items, _parts, _made) = (loaded, items, parts, made);

    public string Version => _loaded.Folder.Version;

    public VersionFolder Folder => _loaded.Folder;

    public ItemTable Items { get; }

    public T? Find<T>()
        where T : class => _parts.OfType<T>().FirstOrDefault();

    /// <summary>The same version over this table grown or changed, having seen interactions; takes time for what is new alone. The caller
    /// holds this one.</summary>
    /// <param name="interactions">Item indexes of <paramref name="items"/>.</param>
    public VersionSnapshot With(ItemTable items, IReadOnlyList<(IReadOnlyList<int> Before, int Item)> interactions)
    {
        var (parts, made) = (new List<IVersionPart>(), new List<IVersionPart>());
        try
        {
            foreach (var part in _parts)
            {
                var over = Made(part, part.WithItems(items)); // of its own also where the items are the same: this one may end first
                parts.Add(interactions.Count == 0 ? over : Made(over, over.WithInteractions(interactions)));
            }
        }
        catch
        {
            Dispose(made);
            throw;
        }

        _loaded.TryRetain(); // cannot fail: this snapshot holds it
        return new VersionSnapshot(_loaded, items, parts, made);

        IVersionPart Made(IVersionPart from, IVersionPart part)
        {
            if (part != from)
            {
                made.Add(part);
            }

            return part;
        }
    }

    protected override void End()
    {
        Dispose(_made);
        _loaded.Release();
    }

    private static void Dispose(IEnumerable<IVersionPart> parts)
    {
        foreach (var part in parts.Reverse())
        {
            part.Dispose();
        }
    }
}
