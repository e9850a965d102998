using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>One version with the items appended to it so far. Immutable: an appended item or a swap makes another snapshot.</summary>
internal sealed class VersionSnapshot : ISnapshot
{
    private readonly IReadOnlyList<IVersionPart> _parts;

    public VersionSnapshot(LoadedVersion loaded, ItemTable items)
    {
        Loaded = loaded;
        Items = items;
        _parts = ReferenceEquals(items, loaded.Folder.Items) ? loaded.Parts : [.. loaded.Parts.Select(part => part.WithItems(items))];
    }

    public LoadedVersion Loaded { get; }

    public string Version => Loaded.Folder.Version;

    public ItemTable Items { get; }

    public T? Find<T>()
        where T : class => _parts.OfType<T>().FirstOrDefault();
}
