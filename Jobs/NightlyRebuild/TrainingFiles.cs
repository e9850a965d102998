using System.Security.Cryptography;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Files;
using Recsys.Torch;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>
/// Where one rebuild's trainings keep their checkpoints: beside the versions, in a folder that is named after the dataset and the
/// options and is locked while the rebuild runs, until the version that they made is published. A second rebuild of the same at the
/// same time goes without checkpoints. Of several ranks the first alone holds the folder; the others read in it.
/// </summary>
internal sealed class TrainingFiles : IDisposable
{
    private static readonly TimeSpan Stale = TimeSpan.FromDays(30), Patience = TimeSpan.FromSeconds(10);

    private readonly string _folder;
    private readonly TimeSpan _every;
    private readonly FileStream? _lock;
    private readonly bool _held; // by any rank

    private TrainingFiles(string folder, TimeSpan every, FileStream? held, Ranks ranks) =>
        (_folder, _every, _lock, _held) = (folder, every, held, ranks.Sum(held is null ? 0.0 : 1.0) > 0);

    public static TrainingFiles Take(string versions, Dataset dataset, RebuildOptions options, TimeProvider time, Ranks ranks)
    {
        string root = Path.Combine(versions, ".checkpoints"), key = Key(dataset, options), folder = Path.Combine(root, key);
        ranks.CheckAlike(Convert.ToUInt32(key[..8], 16), "the dataset's folder or the options");
        var every = TimeSpan.FromSeconds(options.CheckpointSeconds);
        return new TrainingFiles(folder, every, ranks.First ? Hold(root, folder, time) : null, ranks);
    }

    private static FileStream? Hold(string root, string folder, TimeProvider time)
    {
        Directory.CreateDirectory(root);
        // Locks are taken and stale ones removed under one lock, so that nobody waits for a file that goes away.
        using var taking = FileLock.Exclusive(Path.Combine(root, "lock"), Patience, time);
        var held = FileLock.TryExclusive(folder + ".lock");
        foreach (string other in Directory.GetDirectories(root).Where(other => other != folder))
        {
            if (time.GetUtcNow() - Directory.GetLastWriteTimeUtc(other) > Stale && FileLock.TryExclusive(other + ".lock") is { } abandoned)
            {
                using (abandoned)
                {
                    Directory.Delete(other, recursive: true);
                    File.Delete(other + ".lock");
                }
            }
        }

        return held;
    }

    /// <summary>The place of one training; null where another rebuild of the same has it.</summary>
    public CheckpointPlace? Of(string stage) => _held
        ? new CheckpointPlace(Path.Combine(_folder, stage + ".safetensors"), _every)
        : null;

    /// <summary>The version is published: its checkpoints are of no more use.</summary>
    public void Delete()
    {
        if (_lock is not null && Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    public void Dispose() => _lock?.Dispose();

    // Not the data: each checkpoint says itself which training it belongs to, and one of last night's data is overwritten. Not the
    // device, which is each rank's own.
    private static string Key(Dataset dataset, RebuildOptions options)
    {
        var named = new { dataset = Path.GetFullPath(dataset.Path), options = options with { Device = "" } };
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(named)))[..16];
    }
}
