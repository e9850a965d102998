using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>
/// The keys of one version. The braces are a Redis Cluster hash tag: all keys of a version lie in one slot, so that a script may
/// touch several of them.
/// </summary>
internal sealed class VersionKeys(string version)
{
    /// <summary>The pointer to the active version.</summary>
    public static readonly RedisKey Active = "recsys:active";

    /// <summary>Hash: item id → semantic ID as text.</summary>
    public RedisKey Ids { get; } = $"recsys:{{{version}}}:ids";

    /// <summary>Sorted set, all scores 0, so ordered by bytes: codes and token in hexadecimal, a space, the item id (<see cref="CodeIndex"/>).</summary>
    public RedisKey Codes { get; } = $"recsys:{{{version}}}:codes";

    /// <summary>Hash: codes as text → the collision token that the next item with them gets.</summary>
    public RedisKey Next { get; } = $"recsys:{{{version}}}:next";

    /// <summary>Stream of items appended after publication: fields item, id, title.</summary>
    public RedisKey Appended { get; } = $"recsys:{{{version}}}:appended";

    /// <summary>String, written last: the table is there in full (<see cref="PublishedMarker"/>).</summary>
    public RedisKey Published { get; } = $"recsys:{{{version}}}:published";

    public IEnumerable<RedisKey> All => [Published, Ids, Codes, Next, Appended];
}
