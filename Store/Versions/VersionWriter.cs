using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>A version in its staging folder; holds that folder's lock while it lives.</summary>
internal sealed class VersionWriter : IVersionWriter
{
    private readonly VersionStore _store;
    private readonly string _staging, _folder;
    private readonly TimeProvider _time;
    private readonly FileStream _lock;
    private ItemTable? _items;
    private bool _sealed;

    public VersionWriter(VersionStore store, string version, string staging, string folder, TimeProvider time)
    {
        (_store, Version, _staging, _folder, _time) = (store, version, staging, folder, time);
        _lock = FileLock.TryExclusive(Path.Combine(staging, VersionStore.LockName))
            ?? throw CatalogException.Unavailable($"The lock of '{staging}' was taken a moment ago by another process; try again.");
    }

    public string Version { get; }

    public string PathOf(string relative)
    {
        string path = Path.GetFullPath(Path.Combine(_staging, relative));
        if (relative.Length == 0 || !path.StartsWith(_staging + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            || Path.GetRelativePath(_staging, path) is VersionStore.LockName or ManifestFormat.FileName)
        {
            throw CatalogException.Invalid(
                $"'{relative}' is no file of a version; allowed: a path inside its folder, other than {VersionStore.LockName} and "
                + $"{ManifestFormat.FileName}.");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    public void WriteItems(ItemTable items)
    {
        ItemTableFile.Write(Path.Combine(_staging, ItemTableFile.Name), items);
        _items = items;
    }

    public VersionFolder Seal(VersionDescription description)
    {
        ObjectDisposedException.ThrowIf(_sealed || !_lock.CanWrite, this);
        if (_items is null || _items.Count != description.Items || !_items.CodebookSizes.SequenceEqual(description.CodebookSizes))
        {
            throw CatalogException.Invalid(
                $"Version '{Version}' is described with {description.Items} items and codebooks of "
                + $"{string.Join('/', description.CodebookSizes)}, but its item table "
                + (_items is null ? "was not written (WriteItems)." : $"has {_items.Count} and {string.Join('/', _items.CodebookSizes)}."));
        }

        FaultPoints.Pass("version.seal.begin");
        var files = new SortedDictionary<string, ManifestFile>(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(_staging, "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(_staging, path).Replace('\\', '/');
            if (relative != VersionStore.LockName)
            {
                files[relative] = FileCheck.HashAndSync(path);
                FaultPoints.Pass("version.seal.file");
            }
        }

        foreach (string folder in Directory.EnumerateDirectories(_staging, "*", SearchOption.AllDirectories))
        {
            AtomicFile.SyncFolder(folder);
        }

        FaultPoints.Pass("version.seal.synced");
        var manifest = new VersionManifest(Version, _time.GetUtcNow(), description, files);
        ManifestFormat.Write(_staging, manifest);
        FaultPoints.Pass("version.seal.manifest");
        Directory.Move(_staging, _folder);
        _sealed = true;
        FaultPoints.Pass("version.seal.renamed");
        AtomicFile.SyncFolder(_store.Root);
        File.Delete(Path.Combine(_folder, VersionStore.LockName));
        return new VersionFolder(Version, _folder, manifest, _items);
    }

    public void Dispose()
    {
        // Removed while the lock is held: nobody takes it for a leftover meanwhile.
        if (!_sealed && _lock.CanWrite && Directory.Exists(_staging))
        {
            Directory.Delete(_staging, recursive: true);
        }

        _lock.Dispose();
    }
}
