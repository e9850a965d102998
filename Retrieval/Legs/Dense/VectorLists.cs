using System.Collections;
using Recsys.Faiss;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>
/// Vectors in lists, each around a centroid (inverted file: Jégou, Douze and Schmid 2011; the centroids by FAISS's k-means), so that those
/// of large products with a state are found without looking at all. The lists name items; the vectors stay where they are: an index of
/// FAISS's own would hold every one a second time.
/// </summary>
/// <param name="Centroids">[lists × dim]</param>
/// <param name="Starts">[lists + 1] where each starts.</param>
/// <param name="Items">[items] indexes, list by list.</param>
internal sealed record VectorLists(float[] Centroids, int[] Starts, int[] Items)
{
    private const string CentroidsKey = "lists.centroids", StartsKey = "lists.starts", ItemsKey = "lists.items";

    /// <summary>Lists for the square root of the items.</summary>
    private const int Lists = 4;

    /// <summary>Vectors that a centroid is trained with, and k-means' iterations.</summary>
    private const int PointsOfList = 32, Iterations = 8;

    /// <summary>A list of more than so many times the mean is cut, so that no answer must look at all of many equal vectors.</summary>
    private const int LongList = 4;

    /// <summary>Vectors given their lists at once.</summary>
    private const int Block = 1 << 16;

    /// <summary>Items at even distances in the lists that stand for all, where sums over all are estimated; up to twice as many.</summary>
    private const int LeastSample = 4096;

    public int Count => Starts.Length - 1;

    /// <summary>Items for each of the sample.</summary>
    public int Stride { get; } = Math.Max(1, Items.Length / LeastSample);

    /// <summary>The sample: items, and the list that each is in.</summary>
    public IReadOnlyList<(int Item, int List)> Sample => _sample ??= Sampled();

    private (int Item, int List)[]? _sample;

    /// <param name="vectors">[items and maybe more, dim] float32.</param>
    public static VectorLists Make(Tensor vectors, int items, long seed, CancellationToken cancel = default)
    {
        using var _ = no_grad();
        int dim = (int)vectors.size(1), lists = Math.Max(1, (int)(Lists * Math.Sqrt(items)));
        long step = Math.Max(1, items / ((long)lists * PointsOfList));
        float[] points = Rows(vectors, 0, items, step);
        NearestCentroids nearest = (some, of, width, codes) =>
        {
            cancel.ThrowIfCancellationRequested();
            NearestCodes.Of(some, of, width, codes);
        };
        float[] centroids = KMeans.Train(points, dim, Math.Min(lists, points.Length / dim), new KMeansOptions
        {
            Iterations = Iterations, Seed = Seeds.ToInt32(seed) & int.MaxValue, Seeding = KMeansSeeding.Random, Nearest = nearest,
        }).Centroids;
        var of = new long[items];
        for (int from = 0; from < items; from += Block)
        {
            int count = Math.Min(Block, items - from);
            nearest(Rows(vectors, from, from + count, 1), centroids, dim, of.AsSpan(from, count));
        }

        var starts = new int[(centroids.Length / dim) + 1];
        foreach (long list in of)
        {
            starts[list + 1]++;
        }

        for (int list = 0; list + 1 < starts.Length; list++)
        {
            starts[list + 1] += starts[list];
        }

        var (place, all) = (starts.ToArray(), new int[items]);
        for (int item = 0; item < items; item++)
        {
            all[place[of[item]]++] = item;
        }

        return Cut(centroids, starts, all);
    }

    private static VectorLists Cut(float[] centroids, int[] starts, int[] items)
    {
        int lists = starts.Length - 1, dim = centroids.Length / lists, longest = LongList * Math.Max(1, items.Length / lists);
        var (middles, ends) = (new List<float>(), new List<int> { 0 });
        for (int list = 0; list < lists; list++)
        {
            for (int from = starts[list]; from < starts[list + 1]; from += longest)
            {
                middles.AddRange(centroids.AsSpan(list * dim, dim));
                ends.Add(Math.Min(from + longest, starts[list + 1]));
            }
        }

        return new VectorLists([.. middles], [.. ends], items);
    }

    public ReadOnlySpan<int> ItemsOf(int list) => Items.AsSpan(Starts[list], Starts[list + 1] - Starts[list]);

    public void Save(Dictionary<string, Tensor> state)
    {
        state[CentroidsKey] = tensor(Centroids, [Count, Centroids.Length / Count]);
        (state[StartsKey], state[ItemsKey]) = (tensor(Starts), tensor(Items));
    }

    /// <returns>Null: the state has none.</returns>
    /// <exception cref="TorchException">They do not fit together, or do not name each item once.</exception>
    public static VectorLists? Load(Dictionary<string, Tensor> state, int items, int dim)
    {
        if (!state.ContainsKey(CentroidsKey))
        {
            return null;
        }

        float[] centroids = state.Take(CentroidsKey, ScalarType.Float32, -1, dim).data<float>().ToArray();
        int[] starts = state.Take(StartsKey, ScalarType.Int32, (centroids.Length / dim) + 1).data<int>().ToArray();
        int[] all = state.Take(ItemsKey, ScalarType.Int32, items).data<int>().ToArray();
        var named = new BitArray(items);
        bool fit = starts.Length > 1 && starts[0] == 0 && starts[^1] == items
            && starts.Zip(starts.Skip(1)).All(pair => pair.First <= pair.Second);
        foreach (int item in all)
        {
            fit = fit && (uint)item < (uint)items && !named[item];
            if (fit)
            {
                named[item] = true;
            }
        }

        return fit ? new VectorLists(centroids, starts, all) : throw new TorchException("the lists of vectors do not name each item once.");
    }

    private (int Item, int List)[] Sampled()
    {
        var (sample, list) = (new List<(int Item, int List)>(), 0);
        for (int place = Stride / 2; place < Items.Length; place += Stride)
        {
            while (Starts[list + 1] <= place)
            {
                list++;
            }

            sample.Add((Items[place], list));
        }

        return [.. sample];
    }

    private static float[] Rows(Tensor vectors, long from, long end, long step)
    {
        using var scope = NewDisposeScope();
        return Tensors.Values<float>(vectors.index_select(0, arange(from, end, step, device: vectors.device)).cpu()).ToArray();
    }
}
