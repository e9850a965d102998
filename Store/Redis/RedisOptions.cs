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

    /// <summary>Items in one script call of a publication; 1 to 2,000.</summary>
    public int PublishBatch { get; init; } = 500;

    /// <summary>What all keys begin with, so that several folders of versions can share one Redis: 1 to 64 letters, digits, '.', '-',
    /// '_' or ':'. The hash tag of a cluster is behind it.</summary>
    public string Prefix { get; init; } = DefaultPrefix;

    public const string DefaultPrefix = "recsys:";

    /// <exception cref="CatalogException">Every value that is out of its range.</exception>
    public void Validate() => Faults.ThrowIfAny("Redis options", faults =>
    {
        faults.Check(!string.IsNullOrWhiteSpace(Connection), "connection", $"'{Connection}'", "host:port");
        faults.Check(
            Timeout >= TimeSpan.FromMilliseconds(50) && Timeout <= TimeSpan.FromMinutes(5), "timeout", Timeout, "50 ms to 5 min");
        faults.Range("publish_batch", PublishBatch, 1, 2000);
        faults.Check(
            Prefix.Length is >= 1 and <= 64 && Prefix.All(letter => char.IsAsciiLetterOrDigit(letter) || ".-_:".Contains(letter)),
            "prefix", $"'{Prefix}'", "1 to 64 letters, digits, '.', '-', '_' or ':'");
    });
}
