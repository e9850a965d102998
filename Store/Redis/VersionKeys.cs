using System.Globalization;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// The keys of one version. The braces are a Redis Cluster hash tag: all keys of a version lie in one slot, so that a script may
/// touch several of them.
/// </summary>
/// <param name="prefix">What all keys of one folder of versions begin with; before the braces, so it changes no slot's unity.</param>
internal sealed class VersionKeys(string prefix, string version)
{
    private readonly string _start = $"{prefix}{{{version}}}:";

    /// <summary>String, written first: how the table is spread over the hashes and sorted sets (<see cref="TableLayout"/>). Builds before
    /// had one hash in its place, so neither kind of build can mistake the other's table for its own.</summary>
    public RedisKey Layout => _start + "ids";

    /// <summary>Stream of items appended after publication: fields item, id, title, vector.</summary>
    public RedisKey Appended => _start + "appended";

    /// <summary>String, written last: the table is there in full (<see cref="PublishedMarker"/>).</summary>
    public RedisKey Published => _start + "published";

    /// <summary>What builds before had beside the hash: one sorted set of all codes, and the next collision tokens.</summary>
    public RedisKey[] Former => [_start + "codes", _start + "next"];

    /// <summary>Hash: item id → semantic ID as text.</summary>
    public RedisKey Ids(int hash) => string.Create(CultureInfo.InvariantCulture, $"{_start}ids:{hash:x}");

    /// <summary>Sorted set, all scores 0, so ordered by bytes: codes and token in hexadecimal, a space, the item's id
    /// (<see cref="TableLayout.Member"/>).</summary>
    public RedisKey Codes(int set) => string.Create(CultureInfo.InvariantCulture, $"{_start}codes:{set:x}");

    /// <summary>Every hash of a table, a thousand at most at once.</summary>
    public IEnumerable<RedisKey[]> HashesOf(TableLayout layout) => Enumerable.Range(0, 1 << layout.IdBits).Select(Ids).Chunk(1000);

    /// <summary>Every sorted set of a table, a thousand at most at once.</summary>
    public IEnumerable<RedisKey[]> SetsOf(TableLayout layout) => Enumerable.Range(0, 1 << layout.CodeBits).Select(Codes).Chunk(1000);

    /// <summary>The pointer to the active version.</summary>
    public static RedisKey Active(string prefix) => prefix + "active";

    /// <summary>String: the folder of versions that the keys belong to.</summary>
    public static RedisKey Deployment(string prefix) => prefix + "deployment";
}
