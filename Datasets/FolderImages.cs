using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Datasets;

/// <summary>Pictures in an <c>images/</c> folder, sub-folders included.</summary>
internal sealed class FolderImages : IImageSource
{
    private readonly List<string> _files;
    private readonly int[] _fileOfItem;

    public FolderImages(string folder, IEnumerable<(string Id, string? Image)> items)
    {
        _files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        _fileOfItem = ImageNames.Resolve(items, [.. _files.Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))]);
    }

    public bool Has(int item) => _fileOfItem[item] >= 0;

    public byte[]? Read(int item)
    {
        if (_fileOfItem[item] < 0)
        {
            return null;
        }

        string path = _files[_fileOfItem[item]];
        long length = new FileInfo(path) is { Exists: true } file
            ? file.Length
            : throw CatalogException.Damaged($"Picture '{path}' is gone; it was there when the dataset was opened.");
        return length <= ImageNames.MaxBytes
            ? File.ReadAllBytes(path)
            : throw new CatalogException(
                Fault.ResourceExhausted, $"Picture '{path}' has {length} bytes; the limit is {ImageNames.MaxBytes}.");
    }

    public void Dispose()
    {
    }
}
