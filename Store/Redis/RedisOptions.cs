using Recsys.Catalog;

namespace Recsys.Store.Redis;

/// <summary>How the store reaches Redis.</summary>
/// <param name="Connection">
/// Connection string of StackExchange.Redis: <c>host:port[,host:port…][,password=…][,ssl=true]</c>; or, starting with '/', the path of
/// a Unix socket.
/// </param>
public sealed record RedisOptions(string Connection)
{
    /// <summary>How long one operation waits for its reply, a lost connection's return included; 50 ms to 5 min.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Items in one script call of a publication; 1 to 2,000 (Lua unpacks at most 8,000 values).</summary>
    public int PublishBatch { get; init; } = 500;

    /// <summary>What all keys begin with, so that several folders of versions can share one Redis: 1 to 64 letters, digits, '.', '-',
    /// '_' or ':'. The hash tag of a cluster is behind it.</summary>
    public string Prefix { get; init; } = DefaultPrefix;

    public const string DefaultPrefix = "recsys:";

    /// <exception cref="CatalogException">Every value that is out of its range.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        Check(!string.IsNullOrWhiteSpace(Connection), nameof(Connection), Connection, "host:port");
        Check(Timeout >= TimeSpan.FromMilliseconds(50) && Timeout <= TimeSpan.FromMinutes(5), nameof(Timeout), Timeout, "50 ms to 5 min");
        Check(PublishBatch is >= 1 and <= 2000, nameof(PublishBatch), PublishBatch, "1 to 2,000");
        Check(
            Prefix.Length is >= 1 and <= 64 && Prefix.All(letter => char.IsAsciiLetterOrDigit(letter) || ".-_:".Contains(letter)),
            nameof(Prefix), Prefix, "1 to 64 letters, digits, '.', '-', '_' or ':'");
        if (faults.Count > 0)
        {
            throw CatalogException.Invalid($"Redis options: {string.Join("; ", faults)}.");
        }

        void Check(bool right, string key, object? value, string allowed)
        {
            if (!right)
            {
                faults.Add($"{key} is '{value}'; allowed: {allowed}");
            }
        }
    }
}
