using System.Text;
using Recsys.Store.Redis;
using StackExchange.Redis;
using StackExchange.Redis.Availability;

namespace Recsys.Store.Tests;

/// <summary>Everything that Redis holds of one version, as text without the version's name and the stream's times.</summary>
internal static class RedisDump
{
    public static async Task<string> OfAsync(IConnectionMultiplexer redis, string version, string prefix = RedisOptions.DefaultPrefix)
    {
        var (database, keys, text) = (redis.GetDatabase().WithRetry(), new VersionKeys(prefix, version), new StringBuilder());
        string? layout = (string?)await database.StringGetAsync(keys.Layout);
        if (TableLayout.TryParse(layout) is { } spread)
        {
            text.AppendLine(layout);
            foreach (var hash in keys.HashesOf(spread).SelectMany(some => some))
            {
                foreach (var entry in (await database.HashGetAllAsync(hash)).OrderBy(entry => (string)entry.Name!, StringComparer.Ordinal))
                {
                    text.AppendLine($"{entry.Name} = {entry.Value}");
                }
            }

            foreach (var set in keys.SetsOf(spread).SelectMany(some => some))
            {
                foreach (var member in await database.SortedSetRangeByRankAsync(set))
                {
                    text.AppendLine(member);
                }
            }
        }

        foreach (var entry in await database.StreamRangeAsync(keys.Appended))
        {
            text.AppendLine(string.Join(' ', entry.Values.Select(value => $"{value.Name} {value.Value}")));
        }

        string? marker = await database.StringGetAsync(keys.Published);
        return marker is null ? text.ToString() : text.AppendLine(marker).ToString();
    }
}
