using System.Collections.Concurrent;
using System.Globalization;
using Recsys.Catalog;
using Recsys.Catalog.Datasets;
using Recsys.Catalog.Ports;
using StackExchange.Redis;

namespace Recsys.Store;

/// <summary>
/// The lookup tables in Redis (5 or later; a cluster too). Reconnects by itself; while Redis is away, operations wait for as long
/// as <see cref="RedisOptions.Patience"/> allows and then fail with <see cref="Fault.Unavailable"/>.
/// </summary>
public sealed class RedisSemanticIdStore : ISemanticIdStore, IDisposable
{
    /// <summary>Most items of one <see cref="AppendedAsync"/> page; go on until a page is empty.</summary>
    public const int PageSize = 1000;

    private readonly RedisConnection _redis;
    private readonly RedisPublisher _publisher;
    private readonly Action<string>? _activated;
    private readonly ConcurrentDictionary<string, int[]> _codebookSizes = new(StringComparer.Ordinal);

    private RedisSemanticIdStore(RedisConnection redis, RedisOptions options, Action<string>? activated) =>
        (_redis, _publisher, _activated) = (redis, new RedisPublisher(redis, options.PublishBatch), activated);

    /// <summary>Opens a store. Succeeds while Redis is away; then the first operation waits for it.</summary>
    /// <param name="options">Where Redis is.</param>
    /// <param name="time">For timeouts.</param>
    /// <param name="activated">Called after this store has activated a version; <see cref="VersionStore.NoteActive"/> fits.</param>
    public static async Task<RedisSemanticIdStore> OpenAsync(RedisOptions options, TimeProvider? time = null, Action<string>? activated = null) =>
        new(await RedisConnection.OpenAsync(options, time ?? TimeProvider.System), options, activated);

    public Task PublishAsync(string version, ItemTable items, CancellationToken cancel) => _publisher.PublishAsync(Keys(version), version, items, [], cancel);

    /// <summary>
    /// Brings a version into Redis as its folder and journal say, whatever Redis still holds of it: table, appended items with their
    /// stream, next collision tokens. Nothing is assigned in between, because the published marker comes last.
    /// </summary>
    public Task RecoverAsync(string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel)
    {
        _ = items.Append(appended); // refuses two items with one ID before anything is written
        return _publisher.PublishAsync(Keys(version), version, items, appended, cancel);
    }

    public async Task<bool> IsPublishedAsync(string version, CancellationToken cancel) =>
        await MarkerAsync(version, cancel) is { } marker
        && await _redis.RunAsync("count", (database, _) => database.HashLengthAsync(Keys(version).Ids), cancel) >= marker.Count;

    public async Task DropAsync(string version, CancellationToken cancel)
    {
        var keys = Keys(version);
        await RefuseIfActiveAsync(version, cancel);

        // The marker goes first: a drop that is interrupted leaves nothing that passes for a version.
        string? marker = await _redis.RunAsync("drop", async (database, _) => (string?)await database.StringGetAsync(keys.Published), cancel);
        await UnlinkAsync(keys.Published, cancel);
        try
        {
            await RefuseIfActiveAsync(version, cancel); // activated in between
        }
        catch (CatalogException error) when (error.Fault == Fault.FailedPrecondition && marker is not null)
        {
            await _redis.RunAsync("drop", (database, _) => database.StringSetAsync(keys.Published, marker), cancel);
            throw;
        }

        _codebookSizes.TryRemove(version, out _);
        foreach (var key in keys.All)
        {
            await UnlinkAsync(key, cancel);
        }
    }

    public async Task<SemanticId?> FindAsync(string version, string itemId, CancellationToken cancel)
    {
        var id = await _redis.RunAsync("find", (database, _) => database.HashGetAsync(Keys(version).Ids, itemId), cancel);
        return id.IsNull ? null : SemanticId.Parse(id!);
    }

    public async Task<IReadOnlyList<string>> ItemsAsync(string version, ReadOnlyMemory<ushort> prefix, int limit, CancellationToken cancel)
    {
        if (prefix.Length is 0 or > SemanticId.MaxLevels || limit < 1)
        {
            throw CatalogException.Invalid($"Items by a prefix of {prefix.Length} codes, at most {limit}; allowed: 1 to {SemanticId.MaxLevels} codes, a limit of 1 or more.");
        }

        string from = CodeIndex.Prefix(prefix.Span);
        var members = await _redis.RunAsync(
            "items",
            (database, _) => database.SortedSetRangeByValueAsync(Keys(version).Codes, from, from + CodeIndex.AfterPrefix, Exclude.Stop, skip: 0, take: limit),
            cancel);
        return [.. members.Select(member => CodeIndex.ItemOf(member!))];
    }

    public async Task<Assignment> AssignAsync(string version, string itemId, string title, ReadOnlyMemory<ushort> codes, CancellationToken cancel)
    {
        await CheckCodesAsync(version, itemId, codes, cancel);
        var keys = Keys(version);
        string text = string.Join('-', codes.ToArray());
        var reply = (RedisResult[])(await _redis.RunAsync(
            "assign",
            (database, _) => database.ScriptEvaluateAsync(
                StoreScripts.Assign, [keys.Ids, keys.Codes, keys.Next, keys.Appended, keys.Published], [itemId, text, CodeIndex.Prefix(codes.Span), title]),
            cancel))!;
        return (int)reply[1] switch
        {
            0 => new Assignment(SemanticId.Parse((string)reply[0]!), Existing: false),
            1 => new Assignment(SemanticId.Parse((string)reply[0]!), Existing: true),
            2 => throw NotPublished(version),
            _ => throw new CatalogException(Fault.ResourceExhausted, $"Version '{version}' has {ushort.MaxValue + 1} items with the codes {text} already, the most that collision tokens tell apart. Train a codebook that uses more of its codes."),
        };
    }

    public async Task<AppendedPage> AppendedAsync(string version, string? after, CancellationToken cancel)
    {
        if (after is not null && (after.Split('-') is not [var milliseconds, var sequence] || !ulong.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out _) || !ulong.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            throw CatalogException.Invalid($"'{after}' is no stream position; pass the position of an earlier page, or none for the start.");
        }

        var reply = await _redis.RunAsync(
            "appended",
            (database, _) => database.ExecuteAsync("XREAD", "COUNT", PageSize.ToString(CultureInfo.InvariantCulture), "STREAMS", Keys(version).Appended, after ?? "0-0"),
            cancel);
        if (reply.IsNull)
        {
            return new AppendedPage([], after);
        }

        // One stream: [[key, [[position, [field, value, …]], …]]].
        var entries = (RedisResult[])((RedisResult[])((RedisResult[])reply!)[0]!)[1]!;
        var (items, last) = (new List<AppendedItem>(entries.Length), after);
        foreach (var entry in entries)
        {
            var parts = (RedisResult[])entry!;
            var fields = ((RedisResult[])parts[1]!).Select(value => (string)value!).ToArray();
            string Field(string name) => fields[Array.IndexOf(fields, name) is var at && at % 2 == 0 ? at + 1 : throw CatalogException.Damaged($"Entry {(string)parts[0]!} of version '{version}' lacks the field {name}.")];
            items.Add(new AppendedItem(Field("item"), SemanticId.Parse(Field("id")), Field("title")));
            last = (string)parts[0]!;
        }

        return new AppendedPage(items, last);
    }

    public Task<string?> ActiveAsync(CancellationToken cancel) =>
        _redis.RunAsync("active", async (database, _) => (string?)await database.StringGetAsync(VersionKeys.Active), cancel);

    public async Task<bool> TryActivateAsync(string? expected, string next, CancellationToken cancel)
    {
        if (!await IsPublishedAsync(next, cancel))
        {
            throw NotPublished(next);
        }

        bool swapped = await _redis.RunAsync(
            "activate",
            async (database, attempt) => (int)await database.ScriptEvaluateAsync(StoreScripts.Activate, [VersionKeys.Active], [expected ?? "", next]) switch
            {
                1 => true,

                // The reply to an earlier attempt was lost, and what it asked for is the case.
                2 => attempt > 1,
                _ => false,
            },
            cancel);
        if (swapped)
        {
            _activated?.Invoke(next);
        }

        return swapped;
    }

    public void Dispose() => _redis.Dispose();

    private static VersionKeys Keys(string version) => DatasetDescription.IsName(version)
        ? new VersionKeys(version)
        : throw CatalogException.Invalid($"'{version}' is no version name; allowed: 1 to 100 letters, digits, '.', '-' or '_', not starting with '.'.");

    private static CatalogException NotPublished(string version) =>
        CatalogException.Precondition($"Version '{version}' is not in Redis, or not in full. Publish it again from its folder: recsys versions restore");

    private async Task CheckCodesAsync(string version, string itemId, ReadOnlyMemory<ushort> codes, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(itemId) || itemId.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0)
        {
            throw CatalogException.Invalid($"Item id '{itemId}' is empty or has a tab or line break; it cannot get a semantic ID.");
        }

        if (!_codebookSizes.TryGetValue(version, out int[]? sizes))
        {
            sizes = (await MarkerAsync(version, cancel) ?? throw NotPublished(version)).CodebookSizes;
            _codebookSizes[version] = sizes;
        }

        for (int level = 0; level < codes.Length || codes.Length != sizes.Length; level++)
        {
            if (codes.Length != sizes.Length || codes.Span[level] >= sizes[level])
            {
                throw CatalogException.Invalid($"Item '{itemId}' with the codes {string.Join('-', codes.ToArray())}; version '{version}' has {sizes.Length} levels of {string.Join('/', sizes)} codes. Encode the item with that version's codebook.");
            }
        }
    }

    private async Task<PublishedMarker?> MarkerAsync(string version, CancellationToken cancel) =>
        PublishedMarker.TryParse(await _redis.RunAsync("marker", async (database, _) => (string?)await database.StringGetAsync(Keys(version).Published), cancel));

    private async Task RefuseIfActiveAsync(string version, CancellationToken cancel)
    {
        if (await ActiveAsync(cancel) == version)
        {
            throw CatalogException.Precondition($"Version '{version}' is active and cannot be dropped. Activate another one first.");
        }
    }

    // UNLINK frees the memory of millions of members in the background, where DEL would hold up every other client.
    private Task UnlinkAsync(RedisKey key, CancellationToken cancel) => _redis.RunAsync("drop", (database, _) => database.ExecuteAsync("UNLINK", key), cancel);
}
