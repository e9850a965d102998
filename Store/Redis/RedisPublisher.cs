using Recsys.Catalog;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// Writes a version's table in pipelined batches and its marker last. Every batch may be repeated, merges with what is there (items
/// assigned meanwhile keep their IDs, next tokens only grow), and an interruption anywhere is made good by publishing again.
/// </summary>
internal sealed class RedisPublisher(RedisCalls redis, int batchSize)
{
    private const int InFlight = 8;

    public async Task PublishAsync(
        VersionKeys keys, string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel)
    {
        var marker = PublishedMarker.Of(items);
        string? before = await redis.RunAsync("publish", async database => (string?)await database.StringGetAsync(keys.Published), cancel);
        if (before is not null && before != marker.ToString())
        {
            throw CatalogException.Precondition(
                $"Redis holds another table under version '{version}' ({before}, not {marker}). Versions never change: choose another "
                + "name, or drop it first.");
        }

        // A table that is there in full is not sent again: a server's start recovers its version, and that is nearly always whole.
        if (before is null || !await IsWholeAsync(keys, items, cancel))
        {
            await InBatchesAsync(version, items.Count, InFlight, [keys.Ids, keys.Codes, keys.Next], item =>
                [items.Ids[item], items.SemanticIds[item].ToString(), CodeIndex.Member(items.SemanticIds[item], items.Ids[item])], cancel);
        }

        // One after the other: the stream keeps the journal's order.
        await InBatchesAsync(version, appended.Count, 1, [keys.Ids, keys.Codes, keys.Next, keys.Appended], index =>
            [
                appended[index].ItemId, appended[index].SemanticId.ToString(),
                CodeIndex.Member(appended[index].SemanticId, appended[index].ItemId), appended[index].Title,
                VectorBytes.Of(appended[index].Vector)], cancel);

        await RefillStreamAsync(keys, appended, cancel);
        FaultPoints.Pass("store.publish.marker");
        await redis.RunAsync("publish", database => database.StringSetAsync(keys.Published, marker.ToString()), cancel);
    }

    // Every tuple of codes that is in use has a first item, with token 0, and a next token.
    private async Task<bool> IsWholeAsync(VersionKeys keys, ItemTable items, CancellationToken cancel)
    {
        long ids = await redis.RunAsync("count", database => database.HashLengthAsync(keys.Ids), cancel);
        long codes = await redis.RunAsync("count", database => database.SortedSetLengthAsync(keys.Codes), cancel);
        long next = await redis.RunAsync("count", database => database.HashLengthAsync(keys.Next), cancel);
        return ids >= items.Count && codes >= items.Count && next >= items.SemanticIds.Count(id => id.Collision == 0);
    }

    /// <summary>A stream that lost entries gets them again at its end: readers pass over what they have.</summary>
    private async Task RefillStreamAsync(VersionKeys keys, IReadOnlyList<AppendedItem> appended, CancellationToken cancel)
    {
        if (await redis.RunAsync("count", database => database.StreamLengthAsync(keys.Appended), cancel) >= appended.Count)
        {
            return;
        }

        var entries = await redis.RunAsync("appended", database => database.StreamRangeAsync(keys.Appended), cancel);
        var there = entries.Select(entry => (string?)entry["item"]).ToHashSet(StringComparer.Ordinal);
        foreach (var item in appended.Where(item => !there.Contains(item.ItemId)))
        {
            NameValueEntry[] fields =
            [
                new("item", item.ItemId), new("id", item.SemanticId.ToString()), new("title", item.Title),
                new("vector", VectorBytes.Of(item.Vector)),
            ];
            await redis.RunAsync("publish", database => database.StreamAddAsync(keys.Appended, fields), cancel);
        }
    }

    private async Task InBatchesAsync(
        string version, int count, int inFlight, RedisKey[] keys, Func<int, RedisValue[]> arguments, CancellationToken cancel)
    {
        var flying = new Queue<Task>();
        try
        {
            for (int first = 0; first < count; first += batchSize)
            {
                FaultPoints.Pass("store.publish.batch");
                while (flying.Count >= inFlight)
                {
                    await flying.Dequeue();
                }

                RedisValue[] values = [.. Enumerable.Range(first, Math.Min(batchSize, count - first)).SelectMany(arguments)];
                flying.Enqueue(SendAsync(version, keys, values, cancel));
            }
        }
        finally
        {
            await Task.WhenAll(flying);
        }
    }

    private async Task SendAsync(string version, RedisKey[] keys, RedisValue[] values, CancellationToken cancel)
    {
        var conflict = await redis.RunAsync("publish", database => database.ScriptEvaluateAsync(StoreScripts.Merge, keys, values), cancel);
        if (!conflict.IsNull)
        {
            throw CatalogException.Precondition(
                $"Item '{(string)conflict!}' of version '{version}' has another semantic ID in Redis than in its folder. Drop the "
                + "version from Redis and publish it again.");
        }
    }
}
