using System.Collections.Concurrent;
using System.Globalization;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// The lookup tables in Redis (5 or later; a cluster too). While Redis is away, operations wait for as long as
/// <see cref="RedisOptions.Timeout"/> allows and then fail with <see cref="Fault.Unavailable"/>.
/// </summary>
public sealed class RedisSemanticIdStore : ISemanticIdStore
{
    /// <summary>Most items of one <see cref="AppendedAsync"/> page; go on until a page is empty.</summary>
    public const int PageSize = 1000;

    private const int SetsAtOnce = 100;

    private readonly RedisCalls _redis;
    private readonly RedisPublisher _publisher;
    private readonly Action<string>? _activated;
    private readonly string _prefix;
    private readonly ConcurrentDictionary<string, TableLayout> _layouts = new(StringComparer.Ordinal);

    /// <param name="redis">From <see cref="RedisConnections"/>; stays the caller's.</param>
    /// <param name="options">With which it was connected.</param>
    /// <param name="activated">Called after this store has activated a version; <see cref="VersionStore.NoteActive"/> fits.</param>
    public RedisSemanticIdStore(IConnectionMultiplexer redis, RedisOptions options, Action<string>? activated = null)
    {
        _redis = new RedisCalls(redis);
        (_publisher, _activated, _prefix) = (new RedisPublisher(_redis, options.PublishBatch), activated, options.Prefix);
    }

    public Task PublishAsync(string version, ItemTable items, CancellationToken cancel) =>
        _publisher.PublishAsync(Keys(version), version, items, [], cancel);

    /// <inheritdoc/>
    /// <remarks>Nothing is assigned in between, because the published marker comes last.</remarks>
    public Task RecoverAsync(string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel)
    {
        _ = items.Append(appended); // refuses two items with one ID before anything is written
        return _publisher.PublishAsync(Keys(version), version, items, appended, cancel);
    }

    public async Task<bool> IsPublishedAsync(string version, CancellationToken cancel) =>
        PublishedMarker.TryParse(await MarkerAsync(version, cancel)) is { } marker
        && await LayoutAsync(version, cancel) is { } layout
        && await _publisher.CountAsync(Keys(version), layout, cancel) >= marker.Count;

    public async Task DropAsync(string version, CancellationToken cancel)
    {
        var keys = Keys(version);
        await RefuseIfActiveAsync(version, cancel);

        // The marker goes first: a drop that is interrupted leaves nothing that passes for a version.
        string? marker = await MarkerAsync(version, cancel);
        await UnlinkAsync([keys.Published], cancel);
        try
        {
            await RefuseIfActiveAsync(version, cancel); // activated in between
        }
        catch (CatalogException error) when (error.Fault == Fault.FailedPrecondition && marker is not null)
        {
            await _redis.RunAsync("drop", database => database.StringSetAsync(keys.Published, marker), cancel);
            throw;
        }

        // And the layout last: without it nobody knows the keys.
        _layouts.TryRemove(version, out _);
        foreach (var some in await LayoutAsync(version, cancel) is { } layout ? keys.HashesOf(layout).Concat(keys.SetsOf(layout)) : [])
        {
            await UnlinkAsync(some, cancel);
        }

        _layouts.TryRemove(version, out _);
        await UnlinkAsync([.. keys.Former, keys.Appended, keys.Layout], cancel);
    }

    public async Task<SemanticId?> FindAsync(string version, string itemId, CancellationToken cancel)
    {
        if (await LayoutAsync(version, cancel) is not { } layout)
        {
            return null;
        }

        var id = await _redis.RunAsync("find", database => database.HashGetAsync(Keys(version).Ids(layout.HashOf(itemId)), itemId), cancel);
        return id.IsNull ? null : SemanticId.Parse(id!);
    }

    public async Task<IReadOnlyList<string>> ItemsAsync(string version, ReadOnlyMemory<ushort> prefix, int limit, CancellationToken cancel)
    {
        if (prefix.Length is 0 or > SemanticId.MaxLevels || limit < 1)
        {
            throw CatalogException.Invalid(
                $"Items by a prefix of {prefix.Length} codes, at most {limit}; allowed: 1 to {SemanticId.MaxLevels} codes, a limit of 1 "
                + "or more.");
        }

        var found = new List<string>();
        if (await LayoutAsync(version, cancel) is not { } layout || !layout.Has(prefix.Span))
        {
            return found;
        }

        string start = layout.Prefix(prefix.Span);
        var (from, to) = layout.SetsOf(prefix.Span);
        foreach (var sets in Enumerable.Range(from, to - from).Select(Keys(version).Codes).Chunk(SetsAtOnce))
        {
            RedisValue[] range = [$"[{start}", $"({start}{TableLayout.AfterPrefix}", limit - found.Count];
            var members = await _redis.RunAsync("items", database => database.ScriptEvaluateAsync(StoreScripts.Items, sets, range), cancel);
            found.AddRange(((string[])members!).Select(TableLayout.ItemOf));
            if (found.Count >= limit)
            {
                break;
            }
        }

        return found;
    }

    public async Task<Assignment> AssignAsync(
        string version, string itemId, string title, ReadOnlyMemory<ushort> codes, ReadOnlyMemory<float> vector, CancellationToken cancel)
    {
        ItemIds.Check(itemId);
        var layout = await LayoutAsync(version, cancel) ?? throw NotPublished(version);
        if (codes.Length != layout.Levels || !layout.Has(codes.Span))
        {
            throw CatalogException.Invalid(
                $"Item '{itemId}' with the codes {string.Join('-', codes.ToArray())}; version '{version}' has {layout.Levels} levels of "
                + $"{string.Join('/', layout.Sizes)} codes. Encode the item with that version's codebook.");
        }

        var keys = Keys(version);
        string text = string.Join('-', codes.ToArray());
        var reply = (RedisResult[])(await _redis.RunAsync(
            "assign",
            database => database.ScriptEvaluateAsync(
                StoreScripts.Assign,
                [
                    keys.Ids(layout.HashOf(itemId)), keys.Codes(layout.SetsOf(codes.Span).From), keys.Appended, keys.Published, keys.Layout,
                ],
                [itemId, text, layout.Prefix(codes.Span), title, VectorBytes.Of(vector), layout.ToString()]),
            cancel))!;
        if ((int)reply[1] == 2)
        {
            _layouts.TryRemove(version, out _); // of what was published under this name before
        }

        return (int)reply[1] switch
        {
            0 => new Assignment(SemanticId.Parse((string)reply[0]!), Existing: false),
            1 => new Assignment(SemanticId.Parse((string)reply[0]!), Existing: true),
            2 => throw NotPublished(version),
            _ =>
                throw new CatalogException(
                    Fault.ResourceExhausted,
                    $"Version '{version}' has {ushort.MaxValue + 1} items with the codes {text} already, the most that collision tokens "
                    + "tell apart. Train a codebook that uses more of its codes."),
        };
    }

    public async Task<AppendedPage> AppendedAsync(string version, string? after, CancellationToken cancel)
    {
        if (after is not null && !(after.Split('-') is { Length: 2 } parts
            && parts.All(part => ulong.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _))))
        {
            throw CatalogException.Invalid(
                $"'{after}' is no stream position; pass the position of an earlier page, or none for the start.");
        }

        var entries = await _redis.RunAsync(
            "appended", database => database.StreamReadAsync(Keys(version).Appended, after ?? "0-0", PageSize), cancel);
        return new AppendedPage([.. entries.Select(StreamEntries.Read)], entries.Length > 0 ? (string)entries[^1].Id! : after);
    }

    /// <summary>About how many bytes a version's keys take in Redis: of large ones it weighs some entries.</summary>
    public async Task<long> BytesAsync(string version, CancellationToken cancel)
    {
        var keys = Keys(version);
        var all = await LayoutAsync(version, cancel) is { } layout ? keys.HashesOf(layout).Concat(keys.SetsOf(layout)) : [];
        return await _publisher.SumAsync(
            "memory", all.Append([keys.Layout, keys.Appended, keys.Published]), ["MEMORY", "USAGE"], cancel);
    }

    public Task<string?> ActiveAsync(CancellationToken cancel) =>
        _redis.RunAsync("active", async database => (string?)await database.StringGetAsync(VersionKeys.Active(_prefix)), cancel);

    public async Task<bool> TryActivateAsync(string? expected, string next, CancellationToken cancel)
    {
        if (!await IsPublishedAsync(next, cancel))
        {
            throw NotPublished(next);
        }

        bool swapped = await _redis.RunAsync(
            "activate",
            async database =>
                (int)await database.ScriptEvaluateAsync(StoreScripts.Activate, [VersionKeys.Active(_prefix)], [expected ?? "", next]) == 1,
            cancel);
        if (swapped)
        {
            _activated?.Invoke(next);
        }

        return swapped;
    }

    /// <summary>Takes the keys for a folder of versions, where none has them.</summary>
    /// <param name="deployment">Names the folder for good (<see cref="VersionStore.DeploymentId"/>).</param>
    /// <returns>The folder that they belong to: this one, or another that came before.</returns>
    public async Task<string> ClaimAsync(string deployment, CancellationToken cancel)
    {
        var key = VersionKeys.Deployment(_prefix);
        await _redis.RunAsync("claim", database => database.StringSetAsync(key, deployment, when: When.NotExists), cancel);
        return await _redis.RunAsync("claim", async database => (string?)await database.StringGetAsync(key), cancel) ?? deployment;
    }

    private VersionKeys Keys(string version) => SafeName.IsValid(version)
        ? new VersionKeys(_prefix, version)
        : throw CatalogException.Invalid(
            $"'{version}' is no version name; allowed: 1 to 100 letters, digits, '.', '-' or '_', not starting with '.'.");

    private static CatalogException NotPublished(string version) =>
        CatalogException.Precondition(
            $"Version '{version}' is not in Redis, or not in full. Publish it again from its folder: recsys versions restore");

    // Versions never change, so it is asked for once.
    private async Task<TableLayout?> LayoutAsync(string version, CancellationToken cancel)
    {
        if (_layouts.TryGetValue(version, out var known))
        {
            return known;
        }

        var text = await _redis.RunAsync(
            "layout", database => database.ScriptEvaluateAsync(StoreScripts.Layout, [Keys(version).Layout]), cancel);
        return TableLayout.TryParse((string?)text) is { } layout ? _layouts[version] = layout : null;
    }

    private Task<string?> MarkerAsync(string version, CancellationToken cancel) =>
        _redis.RunAsync("marker", async database => (string?)await database.StringGetAsync(Keys(version).Published), cancel);

    private async Task RefuseIfActiveAsync(string version, CancellationToken cancel)
    {
        if (await ActiveAsync(cancel) == version)
        {
            throw CatalogException.Precondition($"Version '{version}' is active and cannot be dropped. Activate another one first.");
        }
    }

    // As UNLINK, which the client chooses where the server knows it: DEL of millions of members would hold up every other client.
    private Task UnlinkAsync(RedisKey[] keys, CancellationToken cancel) =>
        _redis.RunAsync("drop", database => database.KeyDeleteAsync(keys), cancel);
}
