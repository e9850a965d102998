using System.Globalization;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Versions;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// Live attributes in Redis: a hash that holds the latest value of each item and attribute, and a stream of what changed, for servers to
/// follow. Each value goes to the journal on disk first; with it an empty Redis is filled again (<see cref="RecoverAsync"/>).
/// </summary>
public sealed class RedisLiveValues : ILiveValues
{
    /// <summary>Changes that one page holds at most, and that the stream remembers; who is further behind reads everything.</summary>
    public const int PageSize = 1000, Remembered = 1 << 17;

    private const int Batch = 1000, InFlight = 8;
    private const char Set = '=', Cleared = '-';

    private readonly RedisCalls _redis;
    private readonly VersionStore _versions;
    private readonly RedisKey _values, _changes;

    /// <param name="redis">From <see cref="RedisConnections"/>; stays the caller's.</param>
    /// <param name="options">With which it was connected.</param>
    /// <param name="versions">Whose folder has the journal.</param>
    public RedisLiveValues(IConnectionMultiplexer redis, RedisOptions options, VersionStore versions)
    {
        (_redis, _versions) = (new RedisCalls(redis), versions);
        (_values, _changes) = ($"{options.Prefix}{{live}}:values", $"{options.Prefix}{{live}}:changes"); // one slot of a cluster
    }

    public async Task<int> WriteAsync(IReadOnlyList<LiveValue> values, CancellationToken cancel)
    {
        if (values.Count == 0)
        {
            return 0;
        }

        await _versions.NoteLiveAsync(values, cancel);
        return await SendAsync(values, cancel);
    }

    public async Task<LivePage> ReadAsync(string? after, CancellationToken cancel)
    {
        if (after is null)
        {
            return await ReadAllAsync(cancel);
        }

        var entries = await _redis.RunAsync("live", database => database.StreamReadAsync(_changes, after, PageSize), cancel);
        if (entries.Length == 0)
        {
            return new LivePage([], false, after);
        }

        var first = await _redis.RunAsync("live", database => database.StreamRangeAsync(_changes, count: 1), cancel);
        return first.Length > 0 && Place(first[0].Id!).CompareTo(Place(after)) <= 0
            ? new LivePage([.. entries.Select(entry => Parse(entry["field"], entry["value"]))], false, entries[^1].Id!)
            : await ReadAllAsync(cancel); // something between may be forgotten
    }

    /// <summary>Brings in what the journal has and Redis has not, or has older.</summary>
    /// <returns>Values that were missing.</returns>
    public async Task<int> RecoverAsync(CancellationToken cancel) => await SendAsync(_versions.LiveNoted(), cancel);

    private async Task<LivePage> ReadAllAsync(CancellationToken cancel)
    {
        // The position first: what changes while the hash is read is read again from the stream.
        var last = await _redis.RunAsync(
            "live", database => database.StreamRangeAsync(_changes, count: 1, messageOrder: Order.Descending), cancel);
        var values = new Dictionary<string, LiveValue>(StringComparer.Ordinal); // a scan may give a field twice
        string cursor = "0";
        do
        {
            object[] arguments = [_values, cursor, "COUNT", PageSize];
            var reply = (RedisResult[])(await _redis.RunAsync("live", database => database.ExecuteAsync("HSCAN", arguments), cancel))!;
            cursor = (string)reply[0]!;
            var fields = (RedisValue[])reply[1]!;
            for (int i = 0; i < fields.Length; i += 2)
            {
                values[fields[i]!] = Parse(fields[i], fields[i + 1]);
            }
        }
        while (cursor != "0");

        return new LivePage([.. values.Values], true, last.Length > 0 ? last[0].Id! : "0-0");
    }

    private async Task<int> SendAsync(IReadOnlyList<LiveValue> values, CancellationToken cancel)
    {
        int written = 0;
        foreach (var some in values.Chunk(Batch * InFlight))
        {
            var sent = some.Chunk(Batch).Select(async batch =>
            {
                RedisValue[] arguments =
                [
                    Remembered,
                    .. batch.SelectMany(value => new RedisValue[]
                    {
                        $"{value.ItemId}\t{value.Attribute}", TimeTexts.Of(value.Time),
                        value.Text is null ? $"{Cleared}" : $"{Set}{value.Text}",
                    }),
                ];
                return (int)await _redis.RunAsync(
                    "live", database => database.ScriptEvaluateAsync(StoreScripts.Live, [_values, _changes], arguments), cancel);
            });
            written += (await Task.WhenAll(sent)).Sum();
        }

        return written;
    }

    private static LiveValue Parse(RedisValue field, RedisValue value)
    {
        string[] names = ((string?)field ?? "").Split('\t');
        string text = (string?)value ?? "";
        return names.Length == 2 && text.Length > TimeTexts.Length && text[TimeTexts.Length] is Set or Cleared
            && TimeTexts.Parse(text[..TimeTexts.Length]) is { } since
            ? new LiveValue(
                names[0], names[1], text[TimeTexts.Length] == Set ? text[(TimeTexts.Length + 1)..] : null, since)
            : throw CatalogException.Damaged(
                $"Redis holds '{ItemIds.Shown(text)}' as a live value of '{ItemIds.Shown((string?)field ?? "")}'.");
    }

    private static (ulong Time, ulong Number) Place(string id)
    {
        string[] parts = id.Split('-');
        return (ulong.Parse(parts[0], CultureInfo.InvariantCulture), ulong.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
