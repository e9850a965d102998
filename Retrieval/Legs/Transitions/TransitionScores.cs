using System.Runtime.InteropServices;
using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>What the transitions leg says behind one history. What has evidence is held, and what came after training: all else has its
/// prior.</summary>
internal sealed class TransitionScores : ILegScores
{
    private readonly TransitionLeg _leg;
    private readonly int _items;
    private readonly Dictionary<int, float> _scores = []; // by item: all that have evidence, and all that came after training

    /// <param name="weights">[history] how much each of its items counts; null: all alike.</param>
    /// <param name="fresh">Items that came after training; null: none.</param>
    public TransitionScores(TransitionLeg leg, IReadOnlyList<int> history, IReadOnlyList<double>? weights, NewItems? fresh)
    {
        (_leg, _items) = (leg, leg.Table.Items + (fresh?.Count ?? 0));
        foreach (var (_, from, weight) in leg.Weighted(history, weights, fresh))
        {
            var row = leg.Row(from);
            for (int pair = 0; pair < row.Followers.Length && row.Followers[pair] < _items; pair++) // they ascend
            {
                ref float score = ref CollectionsMarshal.GetValueRefOrAddDefault(_scores, row.Followers[pair], out bool known);
                score = (known ? score : leg.Priors.Of(row.Followers[pair])) + ((float)weight * row.Evidence[pair]);
            }
        }

        if (fresh is { Count: > 0 })
        {
            _scores.EnsureCapacity(_scores.Count + fresh.Count);
            AddFresh(history, weights, fresh);
        }
    }

    public float Least => Enumerable.Range(0, _items).Min(item => Of(item)); // where nothing decodes: seldom, and never of NaN

    public float[] Of(ReadOnlySpan<int> items)
    {
        var scores = new float[items.Length];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = Of(items[i]);
        }

        return scores;
    }

    public int[] Best(int n, Admission? admission) => Best(
        n,
        admission?.Few is { } few ? few.Where(item => item < _items) : Likely(n, item => admission?.Allows(item) != false));

    public int[] Best(int n, Admission? admission, ItemGroup among) => Best(
        n, Likely(n, item => among.Has(item) && admission?.Allows(item) != false));

    /// <summary>Writes the scores that are not priors alone.</summary>
    /// <param name="scores">[items]</param>
    public void CopyTo(Span<float> scores)
    {
        foreach (var (item, score) in _scores)
        {
            scores[item] = score;
        }
    }

    /// <summary>An item that came after training has what those have that stand for it, but for their interactions.</summary>
    private void AddFresh(IReadOnlyList<int> history, IReadOnlyList<double>? weights, NewItems fresh)
    {
        int trained = _leg.Table.Items;
        var touched = history.Where(item => item >= trained).ToHashSet();
        for (int at = 0; at < fresh.Count; at++)
        {
            int item = trained + at;
            if (fresh.Items[at] is not { } standing)
            {
                _scores.TryAdd(item, _leg.Priors.Of(item));
            }
            else if (touched.Contains(item))
            {
                // What stands for it follows one another: nothing speaks for itself.
                _scores[item] = _leg.Priors.Of(item) + (float)_leg.Reasons(history, item, weights, fresh).Sum(reason => reason.Part);
            }
            else
            {
                float score = Of(item);
                for (int i = 0; i < standing.Like.Length; i++)
                {
                    score += standing.Weights[i] * (Of(standing.Like[i]) - _leg.Priors.Of(standing.Like[i]));
                }

                _scores[item] = score;
            }
        }
    }

    private float Of(int item) => _scores.TryGetValue(item, out float score) ? score : _leg.Priors.Of(item);

    /// <summary>Items among which the n best allowed ones are.</summary>
    private IEnumerable<int> Likely(int n, Predicate<int> allows) =>
        _scores.Keys.Where(item => allows(item))
            .Concat(_leg.Priors.InOrder().Where(item => item < _items && !_scores.ContainsKey(item) && allows(item)).Take(n));

    private int[] Best(int n, IEnumerable<int> items)
    {
        int[] all = [.. items];
        return TopItems.Of(Of(all), all, n);
    }
}
