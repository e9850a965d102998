using System.Collections.Concurrent;
using System.Text;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

/// <summary>Everything that Redis holds of one version, as text without the version's name and the stream's times.</summary>
internal static class RedisDump
{
    private static readonly ConcurrentDictionary<string, Task<ConnectionMultiplexer>> Connections = new();

    public static async Task<string> OfAsync(RedisOptions options, string version)
    {
        try
        {
            return await ReadAsync(options, version);
        }
        catch (RedisConnectionException)
        {
            // The server was killed since the last dump.
            Connections.TryRemove(options.Connection, out _);
            return await ReadAsync(options, version);
        }
    }

    private static async Task<string> ReadAsync(RedisOptions options, string version)
    {
        var redis = await Connections.GetOrAdd(options.Connection, connection => ConnectionMultiplexer.ConnectAsync(connection + ",syncTimeout=30000"));
        var (database, keys, text) = (redis.GetDatabase(), new VersionKeys(version), new StringBuilder());
        foreach (var hash in new[] { keys.Ids, keys.Next })
        {
            foreach (var entry in (await database.HashGetAllAsync(hash)).OrderBy(entry => (string)entry.Name!, StringComparer.Ordinal))
            {
                text.AppendLine($"{entry.Name} = {entry.Value}");
            }
        }

        foreach (var member in await database.SortedSetRangeByRankAsync(keys.Codes))
        {
            text.AppendLine(member);
        }

        var stream = await database.ExecuteAsync("XRANGE", keys.Appended, "-", "+");
        foreach (var entry in (RedisResult[])stream!)
        {
            text.AppendLine(string.Join(' ', ((RedisResult[])((RedisResult[])entry!)[1]!).Select(value => (string)value!)));
        }

        string? marker = await database.StringGetAsync(keys.Published);
        return marker is null ? text.ToString() : text.AppendLine(marker).ToString();
    }
}
