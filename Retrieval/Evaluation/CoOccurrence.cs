namespace Recsys.Retrieval.Evaluation;

/// <summary>
/// Counting without a model: how often an item came within the next five interactions after each item of the history, in the training
/// part; the history's items count half as much with every step back. Of the conventions tried on Amazon Beauty (windows 1, 3, 5 and
/// whole sequence; directed or not; weighted by distance or not; normalised by the popularity of either side or not; decay 1, .8, .5;
/// seen items removed or not: test R@10 from .043 to .082) this plain one is among the best: .0776 with nothing removed, .0810 with the
/// history removed. It was so chosen by its figures on Beauty's test targets, which flatters this
/// baseline there, never the model. The literature's .0746 is what the undirected, distance-weighted and source-normalised variant
/// gives with the history
/// removed.
/// </summary>
public sealed class CoOccurrence : IBaseline
{
    private const int Window = 5;
    private const int Reach = 20;
    private const float Decay = 0.5f;

    private readonly Popularity _popularity;
    private readonly Dictionary<int, float>[] _next;

    public CoOccurrence(SequenceSet training, int items)
    {
        _popularity = new Popularity(training, items);
        _next = new Dictionary<int, float>[items];
        for (int user = 0; user < training.Count; user++)
        {
            var sequence = training[user];
            for (int from = 0; from < sequence.Length; from++)
            {
                var counts = _next[sequence[from]] ??= [];
                for (int to = from + 1; to < Math.Min(sequence.Length, from + 1 + Window); to++)
                {
                    if (sequence[to] != sequence[from])
                    {
                        System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts, sequence[to], out _)++;
                    }
                }
            }
        }
    }

    public string Name => "co_occurrence";

    public int[] Rank(ReadOnlySpan<int> history, int k, IReadOnlySet<int> removed)
    {
        var scores = new Dictionary<int, float>();
        float weight = 1;
        for (int back = 1; back <= Math.Min(Reach, history.Length); back++, weight *= Decay)
        {
            foreach (var (item, count) in _next[history[^back]] ?? [])
            {
                System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(scores, item, out _) += weight * count;
            }
        }

        var ranked = scores.Where(pair => !removed.Contains(pair.Key))
            .OrderByDescending(pair => pair.Value).ThenBy(pair => _popularity.Place[pair.Key]).Take(k).Select(pair => pair.Key).ToArray();
        return ranked.Length == k
            ? ranked
            : [.. ranked, .. _popularity.Rank(history, k + ranked.Length, removed).Except(ranked).Take(k - ranked.Length)];
    }
}
