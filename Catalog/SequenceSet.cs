namespace Recsys.Catalog;

/// <summary>
/// Every user's items in order of time, as item indexes, in two flat arrays: user u's items are
/// <c>Items[Offsets[u] .. Offsets[u + 1]]</c>.
/// </summary>
/// <param name="Users">[users] the owner's user ids.</param>
/// <param name="Offsets">[users + 1]</param>
/// <param name="Items">[interactions] item indexes, oldest first within a user.</param>
public sealed record SequenceSet(string[] Users, int[] Offsets, int[] Items)
{
    public int Count => Users.Length;

    public ReadOnlySpan<int> this[int user] => Items.AsSpan(Offsets[user], Offsets[user + 1] - Offsets[user]);

    /// <summary>[items] each item's interactions.</summary>
    /// <param name="items">How many items there are.</param>
    public int[] Interactions(int items)
    {
        var counts = new int[items];
        Array.ForEach(Items, item => counts[item]++);
        return counts;
    }
}
