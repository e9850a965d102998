using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Training;

/// <summary>
/// For items that training never saw, the trained items whose features are most like theirs: what was learned of those stands for what
/// nobody has learned of these, until a later training knows better.
/// </summary>
/// <param name="Items">[cold] item indexes, ascending.</param>
/// <param name="Like">[cold] the trained items that stand for each.</param>
/// <param name="Weights">[cold] of those, with sum 1.</param>
internal sealed record StandIns(int[] Items, int[][] Like, float[][] Weights)
{
    /// <summary>Trained items that stand for one.</summary>
    private const int Neighbours = 8;

    /// <summary>A neighbour weighs e to (cosine over this).</summary>
    private const double Sharpness = 0.1;

    private const int Block = 1024;

    /// <summary>Cosines that are made at once, where vectors of new items look for theirs; twice as many are held.</summary>
    private const int MaxCosines = 1 << 24;

    /// <summary>Vectors that are widened to float32 at once.</summary>
    private const int Widened = 1 << 16;

    /// <param name="interactions">[items] in the training part.</param>
    /// <param name="features">[items + 1, features], zero where an item has none; null: there are none.</param>
    /// <returns>Null: nothing can be said of a cold item, or there is none.</returns>
    public static StandIns? Of(int[] interactions, Tensor? features)
    {
        int[] warm = [.. Enumerable.Range(0, interactions.Length).Where(item => interactions[item] > 0)];
        int[] cold = [.. Enumerable.Range(0, interactions.Length).Where(item => interactions[item] == 0)];
        if (features is null || warm.Length == 0 || cold.Length == 0)
        {
            return null;
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var unit = functional.normalize(features, dim: 1);
        Tensor Rows(int[] items) => unit.index_select(0, tensor(Array.ConvertAll(items, item => (long)item)));
        var known = Rows(warm).transpose(0, 1);
        int k = Math.Min(Neighbours, warm.Length);
        var (items, like, weights) = (new List<int>(), new List<int[]>(), new List<float[]>());
        foreach (int[] some in cold.Chunk(Block))
        {
            using var block = NewDisposeScope();
            var (cosines, places) = matmul(Rows(some), known).topk(k, dim: 1);
            var (values, at) = (cosines.data<float>().ToArray(), places.data<long>().ToArray());
            for (int row = 0; row < some.Length; row++)
            {
                if (values[row * k] > 0) // an item without features is like none
                {
                    items.Add(some[row]);
                    like.Add([.. Enumerable.Range(row * k, k).Select(i => warm[at[i]])]);
                    weights.Add(Shares(values.AsSpan(row * k, k)));
                }
            }
        }

        return items.Count == 0 ? null : new StandIns([.. items], [.. like], [.. weights]);
    }

    /// <summary>The trained items whose vectors are most like others.</summary>
    /// <param name="vectors">[items + 1, dim] float32 or bf16.</param>
    /// <param name="inverseNorms">[items] of <paramref name="vectors"/>.</param>
    /// <param name="interactions">[items] in the training part; an item without stands for none.</param>
    /// <param name="others">[others, dim], at most <see cref="BlockOf"/>.</param>
    /// <returns>[others] item indexes, and their weights, with sum 1.</returns>
    public static (int[][] Like, float[][] Weights) Among(Tensor vectors, Tensor inverseNorms, int[] interactions, Tensor others)
    {
        using var scope = NewDisposeScope();
        long items = interactions.Length;
        var towards = functional.normalize(others, dim: 1).to(vectors.device);
        var cosines = cat([.. vectors.narrow(0, 0, items).split(Widened).Select(Products)], 1).mul_(inverseNorms);
        cosines.masked_fill_(tensor(interactions, device: vectors.device).eq(0), float.NegativeInfinity);
        int k = Math.Min(Neighbours, interactions.Count(count => count > 0));
        var (values, places) = cosines.topk(k, dim: 1);
        var (near, at) = (values.cpu().data<float>().ToArray(), places.cpu().data<long>().ToArray());
        return (
            [.. Enumerable.Range(0, (int)others.size(0)).Select(row => at.Skip(row * k).Take(k).Select(item => (int)item).ToArray())],
            [.. Enumerable.Range(0, (int)others.size(0)).Select(row => Shares(near.AsSpan(row * k, k)))]);

        Tensor Products(Tensor some)
        {
            using var block = NewDisposeScope();
            return matmul(towards, some.to(ScalarType.Float32).transpose(0, 1)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Vectors that may look for theirs at once.</summary>
    public static int BlockOf(int items) => Math.Clamp(MaxCosines / Math.Max(1, items), 1, Block);

    /// <param name="cosines">Falling.</param>
    private static float[] Shares(ReadOnlySpan<float> cosines)
    {
        var raw = new double[cosines.Length];
        for (int i = 0; i < raw.Length; i++)
        {
            raw[i] = Math.Exp((cosines[i] - cosines[0]) / Sharpness);
        }

        double sum = raw.Sum();
        return Array.ConvertAll(raw, weight => (float)(weight / sum));
    }

    /// <summary>Each cold item's vector becomes the mean of those that stand for it.</summary>
    /// <param name="vectors">[items + 1, dim], changed in place.</param>
    public void Fill(Tensor vectors)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Tensor Indexes(IEnumerable<int> of) => tensor(of.Select(item => (long)item).ToArray(), device: vectors.device);
        int k = Like[0].Length;
        var rows = vectors.index_select(0, Indexes(Like.SelectMany(of => of))).view(Items.Length, k, vectors.size(1));
        var weights = tensor(Weights.SelectMany(of => of).ToArray(), [Items.Length, k, 1], device: vectors.device);
        vectors.index_copy_(0, Indexes(Items), (rows * weights).sum(1));
    }

    /// <summary>A cold item follows what those that stand for it follow, and is followed by what follows them.</summary>
    public TransitionTable Fill(TransitionTable table)
    {
        var standing = Items.Index().SelectMany(
                cold => Like[cold.Index].Zip(Weights[cold.Index], (item, weight) => (Item: item, Cold: cold.Item, Weight: weight)))
            .ToLookup(of => of.Item, of => (of.Cold, of.Weight));
        var place = Items.Index().ToDictionary(cold => cold.Item, cold => cold.Index);
        var starts = new long[table.Items + 1];
        var (followers, counts) = (new List<int>(table.Followers.Length), new List<float>(table.Followers.Length));
        for (int item = 0; item < table.Items; item++)
        {
            var row = new SortedDictionary<int, float>();
            void Add(int from, float weight)
            {
                for (long pair = table.Starts[from]; pair < table.Starts[from + 1]; pair++)
                {
                    var (follower, count) = (table.Followers[pair], weight * table.Counts[pair]);
                    row[follower] = row.GetValueOrDefault(follower) + count;
                    foreach (var (cold, share) in standing[follower])
                    {
                        if (cold != item)
                        {
                            row[cold] = row.GetValueOrDefault(cold) + (share * count);
                        }
                    }
                }
            }

            if (place.TryGetValue(item, out int at))
            {
                for (int i = 0; i < Like[at].Length; i++)
                {
                    Add(Like[at][i], Weights[at][i]);
                }
            }
            else
            {
                Add(item, 1);
            }

            followers.AddRange(row.Keys);
            counts.AddRange(row.Values);
            starts[item + 1] = followers.Count;
        }

        return new TransitionTable(starts, [.. followers], [.. counts], table.Interactions);
    }
}
