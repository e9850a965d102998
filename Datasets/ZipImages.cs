using System.IO.Compression;
using System.IO.Hashing;
using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Datasets;

/// <summary>Pictures in an <c>images.zip</c>, never extracted. Safe from any thread; one entry is unpacked at a time.</summary>
internal sealed class ZipImages : IImageSource
{
    private readonly string _path;
    private readonly ZipArchive _archive;
    private readonly List<ZipArchiveEntry> _entries;
    private readonly int[] _entryOfItem;

    /// <exception cref="CatalogException">NotFound; DataLoss where it is no ZIP archive or a truncated one.</exception>
    public ZipImages(string path, IEnumerable<(string Id, string? Image)> items)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"Archive '{path}' does not exist.");
        }

        _path = path;
        var file = File.OpenRead(path);
        try
        {
            (_archive, _entries) = Guarded("it has no end record, or a broken directory", () =>
            {
                var archive = new ZipArchive(file, ZipArchiveMode.Read);
                return (archive, archive.Entries.Where(entry => !entry.FullName.EndsWith('/')).ToList());
            });
            _entryOfItem = ImageNames.Resolve(items, Names);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Names of the files in the archive, in the order of its directory.</summary>
    public IReadOnlyList<string> Names => [.. _entries.Select(entry => entry.FullName)];

    public bool Has(int item) => _entryOfItem[item] >= 0;

    public byte[]? Read(int item)
    {
        if (!Has(item))
        {
            return null;
        }

        var entry = _entries[_entryOfItem[item]];
        if (entry.IsEncrypted)
        {
            throw CatalogException.Invalid(
                $"Archive '{_path}': entry '{entry.FullName}' is encrypted; make the archive without a password.");
        }

        if (entry.Length > ImageNames.MaxBytes)
        {
            throw new CatalogException(
                Fault.ResourceExhausted,
                $"Archive '{_path}': entry '{entry.FullName}' has {entry.Length} bytes; the limit is {ImageNames.MaxBytes}.");
        }

        return Guarded($"entry '{entry.FullName}' cannot be unpacked", () =>
        {
            var content = new byte[entry.Length];
            lock (_archive)
            {
                using var stream = entry.Open();
                stream.ReadExactly(content);
            }

            return Crc32.HashToUInt32(content) == entry.Crc32 ? content : throw new InvalidDataException("its CRC-32 is another");
        });
    }

    // The runtime's reader meets damage with whatever its parsing comes upon.
    private T Guarded<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is not (CatalogException or OutOfMemoryException or UnauthorizedAccessException))
        {
            throw CatalogException.Damaged($"Archive '{_path}' is damaged: {what}. Copy it again.", error);
        }
    }

    public void Dispose() => _archive.Dispose();
}
