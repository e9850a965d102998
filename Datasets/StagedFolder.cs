using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary>
/// A folder that appears in full or not at all: built under a staging name beside its target, then renamed. Staging folders whose
/// maker is gone (its lock is free) are removed by the next one, and a replaced folder that lost its successor is put back.
/// </summary>
public sealed class StagedFolder : IDisposable
{
    private const string LockName = ".lock";

    private readonly string _target;
    private readonly FileStream _lock;
    private bool _done;

    /// <param name="target">The folder to be.</param>
    /// <param name="replace">Whether a dataset folder that is there already is replaced.</param>
    /// <exception cref="CatalogException">FailedPrecondition: the target is there and may not be replaced.</exception>
    public StagedFolder(string target, bool replace)
    {
        _target = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        string parent = System.IO.Path.GetDirectoryName(_target)
            ?? throw CatalogException.Invalid($"'{target}' cannot be a dataset folder.");
        string name = System.IO.Path.GetFileName(_target);
        Directory.CreateDirectory(parent);
        ClearLeftovers(parent, name);
        if (File.Exists(_target) || (Directory.Exists(_target) && Directory.EnumerateFileSystemEntries(_target).Any()))
        {
            if (!replace)
            {
                throw CatalogException.Precondition(
                    $"'{_target}' exists and is not empty. Choose another folder, or replace it with --force.");
            }

            if (!File.Exists(System.IO.Path.Combine(_target, DatasetDescription.FileName)))
            {
                throw CatalogException.Precondition(
                    $"'{_target}' is no dataset folder (it has no {DatasetDescription.FileName}), so --force does not remove it. Remove "
                    + "it yourself, or choose another folder.");
            }
        }

        Path = System.IO.Path.Combine(parent, $".{name}.staging-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
        _lock = new FileStream(System.IO.Path.Combine(Path, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>The staging folder.</summary>
    public string Path { get; }

    /// <summary>Renames the staging folder into place.</summary>
    public void Complete()
    {
        var files = Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories);
        foreach (string file in files.Where(file => System.IO.Path.GetFileName(file) != LockName))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite); // nobody synced what DuckDB wrote
            RandomAccess.FlushToDisk(handle);
        }

        foreach (string folder in Directory.EnumerateDirectories(Path))
        {
            AtomicFile.SyncFolder(folder);
        }

        AtomicFile.SyncFolder(Path);
        string? old = null;
        if (Directory.Exists(_target))
        {
            old = System.IO.Path.Combine(
                System.IO.Path.GetDirectoryName(_target)!, $".{System.IO.Path.GetFileName(_target)}.old-{Guid.NewGuid():N}");
            Directory.Move(_target, old);
        }

        Directory.Move(Path, _target);
        _done = true;
        AtomicFile.SyncFolder(System.IO.Path.GetDirectoryName(_target)!);
        File.Delete(System.IO.Path.Combine(_target, LockName));
        if (old is not null)
        {
            Directory.Delete(old, recursive: true);
        }
    }

    private void ClearLeftovers(string parent, string name)
    {
        foreach (string old in Directory.EnumerateDirectories(parent, $".{name}.old-*").ToArray())
        {
            if (!Directory.Exists(_target))
            {
                Directory.Move(old, _target);
            }
            else
            {
                Directory.Delete(old, recursive: true);
            }
        }

        foreach (string staging in Directory.EnumerateDirectories(parent, $".{name}.staging-*").ToArray())
        {
            try
            {
                using (new FileStream(System.IO.Path.Combine(staging, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                }

                Directory.Delete(staging, recursive: true);
            }
            catch (IOException)
            {
                // Somebody is at work in it, or has just begun.
            }
        }
    }

    public void Dispose()
    {
        _lock.Dispose();
        if (!_done && Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
