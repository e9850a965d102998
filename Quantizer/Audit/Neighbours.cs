namespace Recsys.Quantizer.Audit;

/// <summary>Nearest items of a sample of items, exactly, by squared distance; an item is none of its own.</summary>
public sealed class Neighbours
{
    private const long BlockEntries = 1L << 24; // distances at hand at once: 64 MiB

    private Neighbours(int[] queries, int[][] items, int k) => (Queries, Items, K) = (queries, items, k);

    /// <summary>The sampled items, ascending.</summary>
    public int[] Queries { get; }

    /// <summary>[queries] of [K] items, nearest first, ties by item number.</summary>
    public int[][] Items { get; }

    public int K { get; }

    /// <param name="x">[n × dim], row-major.</param>
    /// <param name="k">Neighbours of each, fewer than n.</param>
    /// <param name="sample">Items that are asked for, drawn by the seed; all where there are fewer.</param>
    public static Neighbours Of(float[] x, int dim, int k, int sample, long seed)
    {
        int n = x.Length / dim;
        if (n < 2)
        {
            return new Neighbours([], [], 0);
        }

        k = Math.Min(k, n - 1);
        var queries = Enumerable.Range(0, n).ToArray();
        new Random(Seeds.ToInt32(seed)).Shuffle(queries);
        queries = [.. queries.Take(sample).Order()];
        var items = new int[queries.Length][];
        InBlocks(x, x, dim, queries, (at, query, distances) =>
        {
            distances[query] = float.PositiveInfinity;
            var order = Enumerable.Range(0, n).ToArray();
            Array.Sort(distances.ToArray(), order); // ties in no order
            float last = distances[order[k - 1]];
            items[at] = [.. order.TakeWhile(item => distances[item] <= last)
                .OrderBy(item => distances[item]).ThenBy(item => item).Take(k)];
        });
        return new Neighbours(queries, items, k);
    }

    /// <summary>
    /// The share of these neighbours that are among the K nearest by reconstruction. Items of one tuple are equally near: where not all of
    /// them fit among the K, each counts with the share that does.
    /// </summary>
    /// <param name="reconstruction">[n × dim] where their codes say they are.</param>
    /// <param name="groups">Items of one tuple.</param>
    public double Recall(float[] reconstruction, int dim, CodeGroups groups)
    {
        if (Queries.Length == 0)
        {
            return 0;
        }

        var centres = new float[groups.Sizes.Length * dim]; // a tuple's reconstruction, once
        for (int item = groups.Of.Length - 1; item >= 0; item--)
        {
            reconstruction.AsSpan(item * dim, dim).CopyTo(centres.AsSpan(groups.Of[item] * dim));
        }

        double found = 0;
        InBlocks(centres, reconstruction, dim, Queries, (at, query, distances) =>
        {
            var order = Enumerable.Range(0, distances.Length).ToArray();
            Array.Sort(distances.ToArray(), order);
            var share = new Dictionary<int, double>(); // by group
            double room = K;
            foreach (int group in order.TakeWhile(_ => room > 0))
            {
                int members = groups.Sizes[group] - (groups.Of[query] == group ? 1 : 0);
                share[group] = members == 0 ? 0 : Math.Min(1, room / members);
                room -= members;
            }

            found += Items[at].Sum(item => share.GetValueOrDefault(groups.Of[item]));
        });
        return found / ((double)Queries.Length * K);
    }

    /// <summary>The share of these neighbours that have the first codes of their item.</summary>
    public double Alike(CodeGroups groups) => Queries.Length == 0
        ? 0
        : Queries.Select((query, at) => Items[at].Count(item => groups.Of[item] == groups.Of[query])).Sum() / ((double)Queries.Length * K);

    private static void InBlocks(float[] points, float[] x, int dim, int[] queries, Action<int, int, float[]> each)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        int n = points.Length / dim, at = 0;
        var all = Tensors.Copy(points, n, dim);
        var squares = all.pow(2).sum(1); // [n]
        foreach (int[] block in queries.Chunk((int)Math.Max(1, BlockEntries / n)))
        {
            using var blockScope = NewDisposeScope();
            var rows = Tensors.Copy([.. block.SelectMany(query => x.AsSpan(query * dim, dim).ToArray())], block.Length, dim);
            var distances = squares.unsqueeze(0) - (rows.matmul(all.t()) * 2); // [block, n], up to the query's own length
            float[] values = Tensors.Values<float>(distances).ToArray();
            for (int i = 0; i < block.Length; i++)
            {
                each(at++, block[i], values[(i * n)..((i + 1) * n)]);
            }
        }
    }
}
