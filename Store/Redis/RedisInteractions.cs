using System.Globalization;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Versions;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// Interactions in Redis: a list of each user's last ones, which tells duplicates and late ones, and a stream of the others with what came
/// before them, for servers to follow. Each goes to the journal on disk first.
/// </summary>
public sealed class RedisInteractions : IInteractions
{
    /// <summary>Interactions of one page, those that the stream remembers, and those that are remembered of a user.</summary>
    public const int PageSize = 1000, Remembered = 1 << 18, OfUser = 20;

    /// <summary>A user who does nothing for so long is forgotten; what is older is late.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(30);

    private const int Batch = 500;

    private readonly RedisCalls _redis;
    private readonly VersionStore _versions;
    private readonly TimeProvider _time;
    private readonly string _prefix;
    private readonly RedisKey _stream;

    /// <param name="redis">From <see cref="RedisConnections"/>; stays the caller's.</param>
    /// <param name="options">With which it was connected.</param>
    /// <param name="versions">Whose folder has the journal.</param>
    public RedisInteractions(IConnectionMultiplexer redis, RedisOptions options, VersionStore versions, TimeProvider? time = null)
    {
        (_redis, _versions, _time) = (new RedisCalls(redis), versions, time ?? TimeProvider.System);
        (_prefix, _stream) = ($"{options.Prefix}{{live}}:user:", $"{options.Prefix}{{live}}:events"); // one slot of a cluster
    }

    public async Task<RecordedCounts> RecordAsync(IReadOnlyList<Interaction> interactions, CancellationToken cancel)
    {
        await _versions.NoteEventsAsync(interactions, cancel);
        return await SendAsync(interactions, again: false, cancel);
    }

    public async Task<InteractionPage> ReadAsync(string? after, DateTimeOffset since, CancellationToken cancel)
    {
        string from = after ?? $"{Math.Max(0, since.ToUnixTimeMilliseconds()).ToString(CultureInfo.InvariantCulture)}-0";
        var entries = await _redis.RunAsync("events", database => database.StreamReadAsync(_stream, from, PageSize), cancel);
        return new InteractionPage([.. entries.Select(Parse)], entries.Length > 0 ? (string)entries[^1].Id! : after);
    }

    /// <summary>Fills a Redis that lost interactions from the journal: those of each user that are newer than what it has.</summary>
    /// <param name="whole">Also where there are some; else a Redis that has any is left as it is.</param>
    /// <returns>Interactions that servers follow again.</returns>
    public async Task<int> RecoverAsync(bool whole, CancellationToken cancel)
    {
        if (!whole && await _redis.RunAsync("events", database => database.KeyExistsAsync(_stream), cancel))
        {
            return 0;
        }

        int recovered = 0;
        foreach (var some in _versions.EventsNoted(_time.GetUtcNow() - Memory).TakeLast(Remembered).Chunk(Batch))
        {
            recovered += (await SendAsync(some, again: true, cancel)).New;
        }

        return recovered;
    }

    /// <summary>One after the other: of one user the order counts.</summary>
    private async Task<RecordedCounts> SendAsync(IReadOnlyList<Interaction> interactions, bool again, CancellationToken cancel)
    {
        var counts = new RecordedCounts(0, 0, 0);
        foreach (var batch in interactions.OrderBy(one => one.Time).Chunk(Batch))
        {
            RedisKey[] keys = [_stream, .. batch.Select(one => (RedisKey)(_prefix + one.UserId))];
            RedisValue[] arguments =
            [
                Remembered, OfUser, (long)Memory.TotalSeconds, TimeTexts.Of(_time.GetUtcNow() - Memory), again ? 1 : 0,
                .. batch.SelectMany(one => new RedisValue[] { one.UserId, one.ItemId, TimeTexts.Of(one.Time), TimeTexts.Of(one.Noted) }),
            ];
            int[] told = (int[])(await _redis.RunAsync(
                "events", database => database.ScriptEvaluateAsync(StoreScripts.Events, keys, arguments), cancel))!;
            counts = new RecordedCounts(counts.New + told[0], counts.Duplicates + told[1], counts.Late + told[2]);
        }

        return counts;
    }

    private static FollowedInteraction Parse(StreamEntry entry)
    {
        string before = Field("before");
        return new FollowedInteraction(
            new Interaction(Field("user"), Field("item"), Moment("time"), Moment("noted")), before.Length == 0 ? [] : before.Split('\t'),
            Field("again") == "1");

        string Field(string name) => (string?)entry[name] ?? throw Damaged(name);

        DateTimeOffset Moment(string name) => TimeTexts.Parse(Field(name)) ?? throw Damaged(name);

        CatalogException Damaged(string name) =>
            CatalogException.Damaged($"Entry {entry.Id} of the interactions in Redis lacks the field {name}.");
    }
}
