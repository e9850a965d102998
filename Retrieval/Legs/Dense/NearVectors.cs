using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>Which items' vectors in a dense leg point where another's does.</summary>
/// <param name="fresh">Items that came after training.</param>
internal sealed class NearVectors(DenseLeg leg, NewItems fresh)
{
    private readonly int _trained = leg.Config.Items;

    /// <summary>Whether an item has a vector.</summary>
    public bool Has(int item) => item < _trained || fresh.Of(item) is not null;

    /// <summary>The cosines of an item's vector with others'.</summary>
    /// <param name="item">One that has a vector.</param>
    /// <returns>[others] -∞: it has none.</returns>
    public float[] Cosines(int item, int[] others)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        float[] cosines = Cosines(fresh.Select(leg.Vectors, others, leg.Name), item);
        foreach (var (at, other) in others.Index())
        {
            cosines[at] = Has(other) ? cosines[at] : float.NegativeInfinity;
        }

        return cosines;
    }

    /// <summary>The items with the largest cosines; where the leg has lists, of those near the item.</summary>
    /// <param name="item">One that has a vector.</param>
    public IReadOnlyList<(int Item, double Cosine)> Of(int item, int n, Admission admission)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (!((ILeg)leg).Searches)
        {
            float[] all =
            [
                .. Cosines(leg.Vectors.narrow(0, 0, _trained), item),
                .. fresh.Count == 0 ? [] : Cosines(item, [.. Enumerable.Range(_trained, fresh.Count)]),
            ];
            return [.. TopItems.Of(all, n, admission).Select(other => (other, (double)all[other]))
                .Where(other => other.Item2 > double.NegativeInfinity)];
        }

        int[] others =
        [
            .. admission.Few is { } few
                ? few.Where(Has)
                : Near(item, n, admission).Concat(fresh.Ranked.Where(admission.Allows)),
        ];
        float[] cosines = Cosines(item, others);
        var of = others.Zip(cosines).ToDictionary(pair => pair.First, pair => (double)pair.Second);
        return [.. TopItems.Of(cosines, others, n).Select(other => (other, of[other]))];
    }

    private IEnumerable<int> Near(int item, int n, Admission admission)
    {
        float[] own = PackedTrunk.Values(fresh.Select(leg.Vectors, [item], leg.Name));
        var search = new ListSearch(own, leg.Vectors, leg.Lists!, byDirection: true);
        int[] near = [.. search.Items.Where(admission.Allows)];
        return near.Concat(search.Further(near.Length, n, admission.Allows));
    }

    /// <param name="vectors">[n, dim]</param>
    private float[] Cosines(Tensor vectors, int item) => PackedTrunk.Values(
        functional.cosine_similarity(vectors, fresh.Select(leg.Vectors, [item], leg.Name), 1, 1e-8).cpu());
}
