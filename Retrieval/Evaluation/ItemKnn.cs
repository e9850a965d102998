using System.Runtime.InteropServices;

namespace Recsys.Retrieval.Evaluation;

/// <summary>
/// Item-based nearest neighbours (Sarwar et al. 2001): an item's score is the sum of its cosines with the items of the history among whose
/// nearest neighbours it is. The cosine is that of the sets of users in the training part; order and repeats do not count.
/// </summary>
public sealed class ItemKnn : IBaseline
{
    private static readonly int[] Variants = [20, 100, 300];

    private readonly Popularity _popularity;
    private readonly (int Item, float Cosine)[][] _nearest; // [items] best first, ties by index
    private readonly int _neighbours;

    /// <param name="neighbours">Nearest items of each item that count.</param>
    public ItemKnn(SequenceSet training, int items, int neighbours)
        : this(new Popularity(training, items), Nearest(training, items, neighbours), neighbours)
    {
    }

    private ItemKnn(Popularity popularity, (int Item, float Cosine)[][] nearest, int neighbours) =>
        (_popularity, _nearest, _neighbours) = (popularity, nearest, neighbours);

    /// <summary>Of 20, 100 or 300 neighbours, by <see cref="BaselineChoice.Best"/>.</summary>
    public static ItemKnn Choose(LeaveOneOut split, int items)
    {
        var all = new ItemKnn(split.Train, items, Variants[^1]); // the fewer neighbours are its first ones
        return BaselineChoice.Best(Variants.Select(neighbours => new ItemKnn(all._popularity, all._nearest, neighbours)), split);
    }

    public string Name => "item_knn";

    public int[] Rank(ReadOnlySpan<int> history, int k, IReadOnlySet<int> removed)
    {
        var scores = new Dictionary<int, float>();
        foreach (int seen in history.ToArray().Distinct())
        {
            foreach (var (item, cosine) in _nearest[seen].AsSpan(0, Math.Min(_neighbours, _nearest[seen].Length)))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(scores, item, out _) += cosine;
            }
        }

        return _popularity.RankScored(scores, k, removed);
    }

    public IBaseline On(SequenceSet training) => new ItemKnn(training, _nearest.Length, _neighbours);

    private static (int Item, float Cosine)[][] Nearest(SequenceSet training, int items, int neighbours)
    {
        int[][] itemsOf = [.. Enumerable.Range(0, training.Count).Select(user => training[user].ToArray().Distinct().ToArray())];
        var usersOf = new List<int>[items];
        for (int user = 0; user < itemsOf.Length; user++)
        {
            foreach (int item in itemsOf[user])
            {
                (usersOf[item] ??= []).Add(user);
            }
        }

        var nearest = new (int, float)[items][];
        Parallel.For(0, items, () => new int[items], (item, _, shared) => // shared: [items] users of both, 0 between two items
        {
            var touched = new List<int>();
            foreach (int user in usersOf[item] ?? [])
            {
                foreach (int other in itemsOf[user])
                {
                    if (shared[other]++ == 0)
                    {
                        touched.Add(other);
                    }
                }
            }

            nearest[item] = [.. touched.Where(other => other != item)
                .Select(other => (other, (float)(shared[other] / Math.Sqrt((double)usersOf[item].Count * usersOf[other].Count))))
                .OrderByDescending(pair => pair.Item2).ThenBy(pair => pair.other).Take(neighbours)];
            touched.ForEach(other => shared[other] = 0);
            return shared;
        }, _ => { });
        return nearest;
    }
}
