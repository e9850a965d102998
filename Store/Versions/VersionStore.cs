using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>
/// Version folders on disk: <c>root/VERSION/{codebook/, retrieval/, creative/, items.tsv, report.json, manifest.json}</c>, staged as
/// <c>root/.staging-VERSION</c>; appended items in <c>root/appended/VERSION.jsonl</c>; <c>root/active</c> notes the active version
/// for the case that Redis is lost. Any number of processes may share a root.
/// </summary>
public sealed class VersionStore : IVersionStore
{
    internal const string LockName = ".lock";
    internal const string StagingPrefix = ".staging-";
    private const string ActiveName = "active";
    private const string DeploymentName = "deployment";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] Reserved = [ActiveName, DeploymentName, AppendJournal.FolderName, LiveJournal.FolderName];

    private readonly TimeProvider _time;
    private readonly LiveJournal _live;
    private readonly EventJournal _events;
    private readonly GroupCommit<LiveValue> _liveCommits;
    private readonly GroupCommit<Interaction> _eventCommits;

    /// <param name="root">The root folder; made when it is missing.</param>
    /// <param name="time">Dates the manifests.</param>
    public VersionStore(string root, TimeProvider? time = null)
    {
        (Root, _time) = (Path.GetFullPath(root), time ?? TimeProvider.System);
        Directory.CreateDirectory(Root);
        (_live, _events) = (new LiveJournal(Root, Patience, _time), new EventJournal(Root, Patience, _time));
        (_liveCommits, _eventCommits) = (new(_live.Append), new(_events.Append));
    }

    public string Root { get; }

    public IReadOnlyList<VersionManifest> List()
    {
        var manifests = new List<VersionManifest>();
        foreach (string folder in Directory.EnumerateDirectories(Root).Where(folder => SafeName.IsValid(Path.GetFileName(folder))))
        {
            if (ManifestFormat.TryRead(folder) is { } manifest && manifest.Version == Path.GetFileName(folder)
                && FilesLookWhole(folder, manifest))
            {
                manifests.Add(manifest);
            }
        }

        return [.. manifests.OrderBy(manifest => manifest.Created).ThenBy(manifest => manifest.Version, StringComparer.Ordinal)];
    }

    public VersionFolder Open(string version)
    {
        string folder = FolderOf(version);
        if (!Directory.Exists(folder))
        {
            throw CatalogException.NotFound($"Version '{version}' is not in '{Root}'. There are: {Names()}.");
        }

        var manifest = ManifestFormat.Read(folder);
        if (manifest.Version != version)
        {
            throw CatalogException.Damaged(
                $"'{folder}' holds the manifest of version '{manifest.Version}'; somebody renamed it. Rename it back.");
        }

        foreach (var (relative, expected) in manifest.Files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            FileCheck.Verify(Path.Combine(folder, relative), relative, version, expected);
        }

        var items = ItemTableFile.Read(Path.Combine(folder, ItemTableFile.Name), manifest.Description.CodebookSizes);
        return new VersionFolder(version, folder, manifest, items);
    }

    public IVersionWriter Begin(string version)
    {
        string folder = FolderOf(version), staging = Path.Combine(Root, StagingPrefix + version);
        using (FileLock.Exclusive(Path.Combine(Root, LockName), Patience, _time))
        {
            if (Directory.Exists(folder))
            {
                throw CatalogException.Precondition(
                    $"Version '{version}' exists in '{Root}', and versions never change. Choose another name.");
            }

            RemoveLeftovers();
            if (Directory.Exists(staging))
            {
                throw CatalogException.Precondition(
                    $"Another process is writing version '{version}' in '{Root}'. Wait for it, or choose another name.");
            }

            Directory.CreateDirectory(staging);
            FaultPoints.Pass("version.begin.staged");
            return new VersionWriter(this, version, staging, folder, _time);
        }
    }

    public void Append(string version, params IReadOnlyList<AppendedItem> items)
    {
        RequireSealed(version);
        AppendJournal.Append(Root, version, items, Patience, _time);
    }

    public IReadOnlyList<AppendedItem> Appended(string version)
    {
        _ = FolderOf(version);
        return AppendJournal.Read(Root, version);
    }

    public void Remove(string version)
    {
        RequireSealed(version);
        using (FileLock.Exclusive(Path.Combine(Root, LockName), Patience, _time))
        {
            // Under the prefix it is no version any more: what an interrupted removal leaves is a leftover as a rebuild leaves.
            string leftover = Path.Combine(Root, StagingPrefix + version);
            Directory.Move(FolderOf(version), leftover);
            AtomicFile.SyncFolder(Root);
            Directory.Delete(leftover, recursive: true);
            AppendJournal.Remove(Root, version);
        }
    }

    /// <summary>Durably notes live attributes of items, whatever version they serve with.</summary>
    public Task NoteLiveAsync(IReadOnlyList<LiveValue> values, CancellationToken cancel) => _liveCommits.WriteAsync(values, cancel);

    /// <summary>Of each item and attribute the latest that was noted.</summary>
    public IReadOnlyList<LiveValue> LiveNoted() => _live.Read();

    /// <summary>Durably notes interactions, for rebuilds to come.</summary>
    public Task NoteEventsAsync(IReadOnlyList<Interaction> interactions, CancellationToken cancel) =>
        _eventCommits.WriteAsync(interactions, cancel);

    /// <summary>The interactions that were noted at or after a moment, in that order; one that was told twice is there twice.</summary>
    public IEnumerable<Interaction> EventsNoted(DateTimeOffset since) => _events.Read(since);

    /// <summary>The version that was active when it was last noted; null when none was, or when it is there no more.</summary>
    public string? NotedActive
    {
        get
        {
            string path = Path.Combine(Root, ActiveName);
            string? version = File.Exists(path) ? File.ReadAllText(path).Trim() : null;
            return SafeName.IsValid(version) && Directory.Exists(Path.Combine(Root, version!)) ? version : null;
        }
    }

    /// <summary>A name of this folder that no other has, drawn at its first use; a copy of the folder has it too.</summary>
    public string DeploymentId
    {
        get
        {
            string path = Path.Combine(Root, DeploymentName);
            using (FileLock.Exclusive(Path.Combine(Root, LockName), Patience, _time))
            {
                if (!File.Exists(path))
                {
                    AtomicFile.WriteText(path, $"{Guid.NewGuid():N}\n");
                }
            }

            return File.ReadAllText(path).Trim();
        }
    }

    /// <summary>Whether there is a folder of this version, damaged or not.</summary>
    public bool Has(string version) => Directory.Exists(FolderOf(version));

    /// <summary>Notes on disk which version is active, so that a lost Redis can be rebuilt with its pointer.</summary>
    public void NoteActive(string version)
    {
        RequireSealed(version);
        AtomicFile.WriteText(Path.Combine(Root, ActiveName), version + "\n");
    }

    internal string FolderOf(string version) => SafeName.IsValid(version) && !Reserved.Contains(version)
        ? Path.Combine(Root, version)
        : throw CatalogException.Invalid(
            $"'{version}' is no version name; allowed: 1 to 100 letters, digits, '.', '-' or '_', not starting with '.', and not "
            + $"{string.Join(" or ", Reserved)}.");

    private void RequireSealed(string version)
    {
        if (!File.Exists(Path.Combine(FolderOf(version), ManifestFormat.FileName)))
        {
            throw CatalogException.NotFound($"Version '{version}' is not in '{Root}'. There are: {Names()}.");
        }
    }

    private string Names() => List() is { Count: > 0 } all ? string.Join(", ", all.Select(manifest => manifest.Version)) : "none";

    // Lengths only: hashing every model of every version is Open's work.
    private static bool FilesLookWhole(string folder, VersionManifest manifest) => manifest.Files.All(file =>
        new FileInfo(Path.Combine(folder, file.Key)) is { Exists: true } info && info.Length == file.Value.Length);

    // A staging folder whose lock is free belongs to nobody who is alive. Runs under the root's lock.
    private void RemoveLeftovers()
    {
        foreach (string staging in Directory.EnumerateDirectories(Root, StagingPrefix + "*").ToArray())
        {
            using var free = FileLock.TryExclusive(Path.Combine(staging, LockName));
            if (free is not null)
            {
                Directory.Delete(staging, recursive: true);
            }
        }
    }
}
