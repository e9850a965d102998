using Recsys.Catalog.Ports;

namespace Recsys.Datasets;

/// <summary>Pictures in an <c>images.zip</c>, never extracted.</summary>
internal sealed class ZipImages : IImageSource
{
    private readonly ZipFile _zip;
    private readonly int[] _entryOfItem;

    public ZipImages(string path, IEnumerable<(string Id, string? Image)> items)
    {
        _zip = ZipFile.Open(path);
        _entryOfItem = ImageNames.Resolve(items, [.. _zip.Entries.Select(entry => entry.Name)]);
    }

    public bool Has(int item) => _entryOfItem[item] >= 0;

    public byte[]? Read(int item) => _entryOfItem[item] < 0 ? null : _zip.Read(_entryOfItem[item]);

    public void Dispose() => _zip.Dispose();
}
