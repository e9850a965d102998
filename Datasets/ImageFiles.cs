using System.IO.Compression;
using System.IO.Hashing;
using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Datasets;

/// <summary>
/// Pictures in an <c>images.zip</c>, never extracted, or in an <c>images/</c> folder, sub-folders included. Safe from any thread; one
/// entry of an archive is unpacked at a time.
/// </summary>
internal sealed class ImageFiles : IImageSource
{
    public const string Zip = "images.zip", Folder = "images";

    private readonly string _path;
    private readonly ZipArchive? _archive;
    private readonly ZipArchiveEntry[] _entries = [];
    private readonly int[] _fileOfItem;

    /// <param name="path">The archive or folder.</param>
    /// <exception cref="CatalogException">NotFound; DataLoss where it is no ZIP archive or a truncated one.</exception>
    public ImageFiles(string path, IEnumerable<(string Id, string? Image)> items)
    {
        _path = path;
        if (Directory.Exists(path))
        {
            Names = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(path, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
            _fileOfItem = ImageNames.Resolve(items, Names);
            return;
        }

        var file = File.Exists(path) ? File.OpenRead(path)
            : throw CatalogException.NotFound($"Images '{path}' exist neither as a ZIP archive nor as a folder.");
        try
        {
            (_archive, _entries) = Guarded("it has no end record, or a broken directory", () =>
            {
                var archive = new ZipArchive(file, ZipArchiveMode.Read);
                return (archive, archive.Entries.Where(entry => !entry.FullName.EndsWith('/')).ToArray());
            });
            Names = [.. _entries.Select(entry => entry.FullName)];
            _fileOfItem = ImageNames.Resolve(items, Names);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Names of the files, in the order of the archive's directory, or sorted.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The archive or folder of pictures in a dataset folder; null without one.</summary>
    public static string? Locate(string dataset)
    {
        string zip = Path.Combine(dataset, Zip), folder = Path.Combine(dataset, Folder);
        return File.Exists(zip) ? zip : Directory.Exists(folder) ? folder : null;
    }

    /// <summary>The name of the item's picture; null where it has none.</summary>
    public string? NameOf(int item) => Has(item) ? Names[_fileOfItem[item]] : null;

    public bool Has(int item) => _fileOfItem[item] >= 0;

    public byte[]? Read(int item) => !Has(item) ? null
        : _archive is null ? ReadFile(Path.Combine(_path, Names[_fileOfItem[item]])) : Unpack(_archive, _entries[_fileOfItem[item]]);

    private static byte[] ReadFile(string path)
    {
        var file = new FileInfo(path);
        Limit($"Picture '{path}'", file.Exists ? file.Length
            : throw CatalogException.Damaged($"Picture '{path}' is gone; it was there when the dataset was opened."));
        return File.ReadAllBytes(path);
    }

    private byte[] Unpack(ZipArchive archive, ZipArchiveEntry entry)
    {
        string what = $"Archive '{_path}': entry '{entry.FullName}'";
        if (entry.IsEncrypted)
        {
            throw CatalogException.Invalid($"{what} is encrypted; make the archive without a password.");
        }

        Limit(what, entry.Length);
        return Guarded($"entry '{entry.FullName}' cannot be unpacked", () =>
        {
            var content = new byte[entry.Length];
            lock (archive)
            {
                using var stream = entry.Open();
                stream.ReadExactly(content);
            }

            return Crc32.HashToUInt32(content) == entry.Crc32 ? content : throw new InvalidDataException("its CRC-32 is another");
        });
    }

    private static void Limit(string what, long length)
    {
        if (length > ImageNames.MaxBytes)
        {
            throw new CatalogException(Fault.ResourceExhausted, $"{what} has {length} bytes; the limit is {ImageNames.MaxBytes}.");
        }
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

    public void Dispose() => _archive?.Dispose();
}
