namespace Recsys.Catalog;

/// <summary>
/// Keeps items out of what learns, so that they can be asked for as if they were new: LIGER's protocol for cold items (Yang et al. 2024,
/// arXiv 2411.18814). What remains is a dataset like any other, whose targets are cold here and there.
/// </summary>
/// <param name="Items">The items kept out, ascending.</param>
/// <param name="Sequences">The histories without them, but for the two interactions of a user that are targets.</param>
/// <param name="Targets">Users whose last interaction is with one of the items.</param>
public sealed record ColdItems(int[] Items, SequenceSet Sequences, int Targets)
{
    /// <summary>Draws items by a seed. Users who have less than three interactions left, two targets and something before them,
    /// go.</summary>
    /// <param name="items">Of the catalogue.</param>
    /// <param name="share">Of the items, above 0 to below 1.</param>
    public static ColdItems Draw(SequenceSet all, int items, double share, long seed)
    {
        int[] drawn = [.. Enumerable.Range(0, items)];
        new Random(seed.GetHashCode()).Shuffle(drawn);
        var cold = drawn.Take((int)Math.Round(share * items)).ToHashSet();
        var (users, offsets, kept, targets) = (new List<string>(), new List<int> { 0 }, new List<int>(), 0);
        for (int user = 0; user < all.Count; user++)
        {
            int[] history = all[user].ToArray();
            int[] left = [.. history.SkipLast(2).Where(item => !cold.Contains(item)), .. history.TakeLast(2)];
            if (history.Length >= 3 && left.Length >= 3)
            {
                users.Add(all.Users[user]);
                kept.AddRange(left);
                offsets.Add(kept.Count);
                targets += cold.Contains(left[^1]) ? 1 : 0;
            }
        }

        return new ColdItems([.. cold.Order()], new SequenceSet([.. users], [.. offsets], [.. kept]), targets);
    }
}
