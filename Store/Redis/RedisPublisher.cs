using Recsys.Catalog;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// Writes a version's table in pipelined batches and its marker last. Every batch may be repeated, merges with what is there (items
/// assigned meanwhile keep their IDs), and an interruption anywhere is made good by publishing again.
/// </summary>
internal sealed class RedisPublisher(RedisCalls redis, int batchSize)
{
    private const int InFlight = 8;

    private readonly record struct Entry(string ItemId, SemanticId Id, RedisValue[] More);

    public async Task PublishAsync(
        VersionKeys keys, string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel)
    {
        var (layout, marker) = (TableLayout.Of(items), PublishedMarker.Of(items));
        string? before = await redis.RunAsync("publish", async database => (string?)await database.StringGetAsync(keys.Published), cancel);
        if (before is not null && before != marker.ToString())
        {
            throw AnotherTable(version, before, marker.ToString());
        }

        var begun = (RedisResult[])(await redis.RunAsync(
            "publish",
            database => database.ScriptEvaluateAsync(
                StoreScripts.Begin, [keys.Layout, keys.Published, .. keys.Former], [layout.ToString()]),
            cancel))!;
        if ((string)begun[0]! != layout.ToString())
        {
            throw AnotherTable(version, (string)begun[0]!, layout.ToString());
        }

        // A server of a build before may have assigned items since the journal was read; from here on it cannot.
        bool anew = before is null || (int)begun[1] == 1;
        AppendedItem[] onStream = anew ? await OnStreamAsync(keys, cancel) : [];

        // A table that is there in full is not sent again: a server's start recovers its version, and that is nearly always whole.
        if (anew || !await IsWholeAsync(keys, layout, items.Count + appended.Count, cancel))
        {
            await InBatchesAsync(
                version, keys, layout, items.Count + onStream.Length, InFlight,
                at => at < items.Count
                    ? new Entry(items.Ids[at], items.SemanticIds[at], [])
                    : new Entry(onStream[at - items.Count].ItemId, onStream[at - items.Count].SemanticId, []),
                cancel);
        }

        // One after the other: the stream keeps the journal's order.
        await InBatchesAsync(
            version, keys, layout, appended.Count, 1,
            index => new Entry(
                appended[index].ItemId, appended[index].SemanticId, [appended[index].Title, VectorBytes.Of(appended[index].Vector)]),
            cancel);
        await RefillStreamAsync(keys, appended, cancel);
        FaultPoints.Pass("store.publish.marker");
        await redis.RunAsync("publish", database => database.StringSetAsync(keys.Published, marker.ToString()), cancel);
    }

    /// <summary>How many items the hashes of a table hold.</summary>
    public Task<long> CountAsync(VersionKeys keys, TableLayout layout, CancellationToken cancel) =>
        SumAsync("count", keys.HashesOf(layout), ["HLEN"], cancel);

    /// <summary>The sum of what a command says of each key.</summary>
    public async Task<long> SumAsync(string operation, IEnumerable<RedisKey[]> keys, RedisValue[] command, CancellationToken cancel)
    {
        long sum = 0;
        foreach (var some in keys)
        {
            sum += (long)await redis.RunAsync(
                operation, database => database.ScriptEvaluateAsync(StoreScripts.Sum, some, command), cancel);
        }

        return sum;
    }

    private static CatalogException AnotherTable(string version, string there, string here) => CatalogException.Precondition(
        $"Redis holds another table under version '{version}' ({there}, not {here}). Versions never change: choose another name, or drop "
        + "it first.");

    private async Task<bool> IsWholeAsync(VersionKeys keys, TableLayout layout, int items, CancellationToken cancel) =>
        await CountAsync(keys, layout, cancel) >= items
        && await SumAsync("count", keys.SetsOf(layout), ["ZCARD"], cancel) >= items;

    private async Task<AppendedItem[]> OnStreamAsync(VersionKeys keys, CancellationToken cancel)
    {
        var entries = await redis.RunAsync("appended", database => database.StreamRangeAsync(keys.Appended), cancel);
        return [.. entries.Select(StreamEntries.Read)];
    }

    /// <summary>A stream that lost entries gets them again at its end: readers pass over what they have.</summary>
    private async Task RefillStreamAsync(VersionKeys keys, IReadOnlyList<AppendedItem> appended, CancellationToken cancel)
    {
        if (await redis.RunAsync("count", database => database.StreamLengthAsync(keys.Appended), cancel) >= appended.Count)
        {
            return;
        }

        var there = (await OnStreamAsync(keys, cancel)).Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal);
        foreach (var item in appended.Where(item => !there.Contains(item.ItemId)))
        {
            await redis.RunAsync("publish", database => database.StreamAddAsync(keys.Appended, StreamEntries.Of(item)), cancel);
        }
    }

    private async Task InBatchesAsync(
        string version, VersionKeys keys, TableLayout layout, int count, int inFlight, Func<int, Entry> entry, CancellationToken cancel)
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

                var entries = Enumerable.Range(first, Math.Min(batchSize, count - first)).Select(entry).ToList();
                flying.Enqueue(SendAsync(version, keys, layout, entries, cancel));
            }
        }
        finally
        {
            await Task.WhenAll(flying);
        }
    }

    private async Task SendAsync(
        string version, VersionKeys keys, TableLayout layout, List<Entry> entries, CancellationToken cancel)
    {
        RedisKey[] touched =
        [
            keys.Appended, .. entries.SelectMany(one => new[] { keys.Ids(layout.HashOf(one.ItemId)), keys.Codes(layout.SetOf(one.Id)) }),
        ];
        RedisValue[] values =
        [
            3 + entries[0].More.Length,
            .. entries.SelectMany(
                one => new RedisValue[] { one.ItemId, one.Id.ToString(), layout.Member(one.Id, one.ItemId) }.Concat(one.More)),
        ];
        var conflict = await redis.RunAsync(
            "publish", database => database.ScriptEvaluateAsync(StoreScripts.Merge, touched, values), cancel);
        if (!conflict.IsNull)
        {
            throw CatalogException.Precondition(
                $"Item '{(string)conflict!}' of version '{version}' has another semantic ID in Redis than in its folder. Drop the "
                + "version from Redis and publish it again.");
        }
    }
}
