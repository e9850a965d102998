using Recsys.Catalog;
using Recsys.Store.Redis;
using Recsys.Store.Versions;

namespace Recsys.Store;

/// <summary>What <see cref="StoreRecovery.RunAsync"/> did.</summary>
/// <param name="Recovered">Versions that are in Redis now.</param>
/// <param name="Active">The active version; null when none ever was.</param>
/// <param name="Appended">Appended items of these versions.</param>
/// <param name="Journalled">Appended items that were in Redis only, and are noted on disk now.</param>
public sealed record RecoveryReport(IReadOnlyList<string> Recovered, string? Active, int Appended, int Journalled);

/// <summary>
/// Makes Redis and the version folders agree after either lost something: an empty Redis is filled from folders and journals, its
/// pointer from the note on disk; assignments that a crash kept from their journal are written there. Harmless when all is well.
/// </summary>
public static class StoreRecovery
{
    /// <param name="versions">The system of record.</param>
    /// <param name="redis">What is rebuilt.</param>
    /// <param name="only">Versions to recover; null: the active one.</param>
    /// <param name="cancel">Stops between batches; running it again goes on.</param>
    public static async Task<RecoveryReport> RunAsync(
        VersionStore versions, RedisSemanticIdStore redis, IReadOnlyList<string>? only, CancellationToken cancel)
    {
        string? pointer = await redis.ActiveAsync(cancel);
        string? active = pointer ?? versions.NotedActive;
        var wanted = only ?? (active is not null ? [active] : []);
        int appended = 0, journalled = 0;
        foreach (string version in wanted)
        {
            var folder = versions.Open(version);
            var journal = versions.Appended(version);
            var unnoted = await OnlyInRedisAsync(redis, folder.Items, version, journal, cancel);
            if (unnoted.Count > 0)
            {
                versions.Append(version, unnoted);
            }

            await redis.RecoverAsync(version, folder.Items, [.. journal, .. unnoted], cancel);
            appended += journal.Count + unnoted.Count;
            journalled += unnoted.Count;
        }

        if (pointer is null && active is not null && wanted.Contains(active))
        {
            await redis.TryActivateAsync(null, active, cancel);
        }
        else if (pointer is not null && pointer != versions.NotedActive)
        {
            versions.NoteActive(pointer);
        }

        return new RecoveryReport(wanted, await redis.ActiveAsync(cancel), appended, journalled);
    }

    private static async Task<List<AppendedItem>> OnlyInRedisAsync(
        RedisSemanticIdStore redis, ItemTable items, string version, IReadOnlyList<AppendedItem> journal, CancellationToken cancel)
    {
        var noted = journal.Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal);
        var missing = new List<AppendedItem>();
        for (string? position = null; ;)
        {
            var page = await redis.AppendedAsync(version, position, cancel);
            if (page.Items.Count == 0)
            {
                return missing;
            }

            missing.AddRange(page.Items.Where(item => !items.TryIndex(item.ItemId, out _) && noted.Add(item.ItemId)));
            position = page.Position;
        }
    }
}
