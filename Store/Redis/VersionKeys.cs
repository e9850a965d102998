using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// The keys of one version. The braces are a Redis Cluster hash tag: all keys of a version lie in one slot, so that a script may
/// touch several of them.
/// </summary>
/// <param name="prefix">What all keys of one folder of versions begin with; before the braces, so it changes no slot's unity.</param>
internal sealed class VersionKeys(string prefix, string version)
{
    /// <summary>Hash: item id → semantic ID as text.</summary>
    public RedisKey Ids { get; } = $"{prefix}{{{version}}}:ids";

    /// <summary>Sorted set, all scores 0, so ordered by bytes: codes and token in hexadecimal, a space, the id
    /// (<see cref="CodeIndex"/>).</summary>
    public RedisKey Codes { get; } = $"{prefix}{{{version}}}:codes";

    /// <summary>Hash: codes as text → the collision token that the next item with them gets.</summary>
    public RedisKey Next { get; } = $"{prefix}{{{version}}}:next";

    /// <summary>Stream of items appended after publication: fields item, id, title, vector.</summary>
    public RedisKey Appended { get; } = $"{prefix}{{{version}}}:appended";

    /// <summary>String, written last: the table is there in full (<see cref="PublishedMarker"/>).</summary>
    public RedisKey Published { get; } = $"{prefix}{{{version}}}:published";

    public IEnumerable<RedisKey> All => [Published, Ids, Codes, Next, Appended];

    /// <summary>The pointer to the active version.</summary>
    public static RedisKey Active(string prefix) => prefix + "active";

    /// <summary>String: the folder of versions that the keys belong to.</summary>
    public static RedisKey Deployment(string prefix) => prefix + "deployment";
}
