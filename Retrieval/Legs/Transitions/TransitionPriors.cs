using System.Collections.Immutable;

namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>
/// What a transitions leg says of items whatever came before: λ ln(1 + n(item)), n an item's interactions. Immutable; grown from one
/// another, they share what did not change.
/// </summary>
internal sealed class TransitionPriors
{
    private readonly double _popularity;
    private readonly int[] _trained; // [items] interactions
    private readonly float[] _priors; // [items]
    private readonly Lazy<int[]> _order; // [items] the largest prior first, of equal ones the smaller index
    private readonly ImmutableDictionary<int, int> _newer; // items that were touched anew, all their interactions
    private readonly ImmutableSortedSet<(float Falling, int Item)> _newerOrder; // those items, by their priors, negated

    /// <param name="interactions">[items] of the training part.</param>
    /// <param name="popularity">λ</param>
    public TransitionPriors(int[] interactions, double popularity)
    {
        (_trained, _popularity, _newer, _newerOrder) = (interactions, popularity, ImmutableDictionary<int, int>.Empty, []);
        _priors = Array.ConvertAll(interactions, Prior);
        _order = new(() => [.. Enumerable.Range(0, interactions.Length).OrderByDescending(item => _priors[item])]); // stable
    }

    private TransitionPriors(
        TransitionPriors before, ImmutableDictionary<int, int> newer, ImmutableSortedSet<(float Falling, int Item)> newerOrder)
    {
        (_trained, _popularity, _priors, _order) = (before._trained, before._popularity, before._priors, before._order);
        (_newer, _newerOrder) = (newer, newerOrder);
    }

    /// <summary>Of any item; one that came after training may have none but new interactions.</summary>
    public float Of(int item) =>
        _newer.TryGetValue(item, out int count) ? Prior(count) : item < _priors.Length ? _priors[item] : Prior(0);

    /// <summary>Those of the first items of a table.</summary>
    public void CopyTo(Span<float> scores)
    {
        _priors.CopyTo(scores);
        scores[_priors.Length..].Fill(Prior(0));
        foreach (var (item, count) in _newer)
        {
            if (item < scores.Length)
            {
                scores[item] = Prior(count);
            }
        }
    }

    /// <summary>The trained items and those that were touched since, the largest prior first, of equal ones the smaller index.</summary>
    public IEnumerable<int> InOrder()
    {
        using var newer = _newerOrder.GetEnumerator();
        bool more = newer.MoveNext();
        foreach (int item in _order.Value)
        {
            if (_newer.ContainsKey(item))
            {
                continue;
            }

            for (; more && newer.Current.CompareTo((-_priors[item], item)) < 0; more = newer.MoveNext())
            {
                yield return newer.Current.Item;
            }

            yield return item;
        }

        for (; more; more = newer.MoveNext())
        {
            yield return newer.Current.Item;
        }
    }

    /// <summary>With one more interaction for each item that is named, as often as it is named.</summary>
    public TransitionPriors With(IEnumerable<int> items)
    {
        var (newer, order) = (_newer.ToBuilder(), _newerOrder.ToBuilder());
        foreach (var more in items.GroupBy(item => item))
        {
            int item = more.Key, before = newer.GetValueOrDefault(item, item < _trained.Length ? _trained[item] : 0);
            order.Remove((-Prior(before), item));
            newer[item] = before + more.Count();
            order.Add((-Prior(newer[item]), item));
        }

        return new TransitionPriors(this, newer.ToImmutable(), order.ToImmutable());
    }

    private float Prior(int interactions) => (float)((_popularity * Math.Log(1 + interactions)) + 0.0); // −0 becomes 0
}
