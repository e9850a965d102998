using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>The trained items whose vectors lie towards another, from the lists whose centroids do.</summary>
/// <param name="vectors">[items + 1, dim] float32 or bf16, dense, on the CPU.</param>
internal sealed class ListSearch
{
    /// <summary>Items that are looked at, whatever may be answered.</summary>
    public const int Looked = 8192;

    /// <summary>Items that may be answered, and are looked at before the best of those are the best that are known.</summary>
    private const int Enough = 2048;

    private readonly float[] _towards;
    private readonly Tensor _vectors;
    private readonly VectorLists _lists;
    private readonly int[] _order; // [lists] the largest product first
    private readonly int _first; // lists that are looked at, whatever may be answered

    /// <param name="towards">[dim]</param>
    /// <param name="byDirection">Whether cosines are asked for, not products.</param>
    public ListSearch(float[] towards, Tensor vectors, VectorLists lists, bool byDirection = false)
    {
        (_towards, _vectors, _lists) = (towards, vectors, lists);
        var keys = new float[lists.Count];
        for (int list = 0; list < keys.Length; list++)
        {
            var centroid = lists.Centroids.AsSpan(list * towards.Length, towards.Length);
            float length = byDirection ? Math.Max(1e-8f, TensorPrimitives.Norm<float>(centroid)) : 1;
            keys[list] = -TensorPrimitives.Dot<float>(towards, centroid) / length;
        }

        _order = [.. Enumerable.Range(0, keys.Length)];
        Array.Sort(keys, _order);
        int count = 0;
        for (; _first < _order.Length && count < Looked; _first++)
        {
            count += lists.ItemsOf(_order[_first]).Length;
        }

        Items = new int[count];
        for (int at = 0, place = 0; at < _first; at++)
        {
            var some = lists.ItemsOf(_order[at]);
            some.CopyTo(Items.AsSpan(place));
            place += some.Length;
        }
    }

    /// <summary>Those that are looked at, whatever may be answered.</summary>
    public int[] Items { get; }

    /// <summary>Items of further lists that may be answered, where those are few among <see cref="Items"/>.</summary>
    /// <param name="allowed">So many of <see cref="Items"/> may be.</param>
    /// <param name="n">So many are wanted.</param>
    public List<int> Further(int allowed, int n, Predicate<int> allows)
    {
        var further = new List<int>();
        for (int at = _first; at < _order.Length && allowed + further.Count < Math.Max(n, Enough); at++)
        {
            foreach (int item in _lists.ItemsOf(_order[at]))
            {
                if (allows(item))
                {
                    further.Add(item);
                }
            }
        }

        return further;
    }

    /// <summary>Products of items' vectors with the other.</summary>
    /// <returns>[items]</returns>
    public float[] Products(ReadOnlySpan<int> items) => ItemScores.Products(_towards, _vectors, items);

    /// <summary>log Σ e^product over all trained items: exact over <see cref="Items"/>, elsewhere estimated from a sample (Rastogi and Van
    /// Durme 2015).</summary>
    /// <param name="products">Of <see cref="Items"/>.</param>
    public float LogSum(float[] products)
    {
        var looked = new bool[_lists.Count];
        foreach (int list in _order.AsSpan(0, _first))
        {
            looked[list] = true;
        }

        float[] sample = Products([.. _lists.Sample.Where(of => !looked[of.List]).Select(of => of.Item)]);
        float top = products.Concat(sample).Max();
        double sum = products.Sum(product => Math.Exp(product - top)) + (_lists.Stride * sample.Sum(product => Math.Exp(product - top)));
        return (float)(top + Math.Log(sum));
    }
}
