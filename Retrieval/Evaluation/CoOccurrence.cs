using System.Runtime.InteropServices;

namespace Recsys.Retrieval.Evaluation;

/// <summary>
/// Counting without a model: how often an item came within the next interactions after each item of the history, in the training part;
/// the history's items count less with every step back. How many interactions, and how much less, is chosen by <see cref="Choose"/>.
/// </summary>
public sealed class CoOccurrence : IBaseline
{
    private const int Reach = 20;

    private static readonly (int Window, float Decay)[] Variants = [(1, 1), (1, .5f), (5, 1), (5, .5f), (20, 1), (20, .5f)];

    private readonly Popularity _popularity;
    private readonly Dictionary<int, float>[] _next;
    private readonly int _window;
    private readonly float _decay;

    /// <param name="window">Interactions after an item that are counted.</param>
    /// <param name="decay">Weight of an item of the history over that of the one after it.</param>
    public CoOccurrence(SequenceSet training, int items, int window, float decay)
    {
        _popularity = new Popularity(training, items);
        _next = new Dictionary<int, float>[items];
        (_window, _decay) = (window, decay);
        for (int user = 0; user < training.Count; user++)
        {
            var sequence = training[user];
            for (int from = 0; from < sequence.Length; from++)
            {
                var counts = _next[sequence[from]] ??= [];
                for (int to = from + 1; to < Math.Min(sequence.Length, from + 1 + window); to++)
                {
                    if (sequence[to] != sequence[from])
                    {
                        CollectionsMarshal.GetValueRefOrAddDefault(counts, sequence[to], out _)++;
                    }
                }
            }
        }
    }

    /// <summary>Of windows of 1, 5 or 20 interactions and a decay of 1 or ½, by <see cref="BaselineChoice.Best"/>.</summary>
    public static CoOccurrence Choose(LeaveOneOut split, int items) => BaselineChoice.Best(
        Variants.Select(variant => new CoOccurrence(split.Train, items, variant.Window, variant.Decay)), split);

    public string Name => "co_occurrence";

    public int[] Rank(ReadOnlySpan<int> history, int k, IReadOnlySet<int> removed)
    {
        var scores = new Dictionary<int, float>();
        float weight = 1;
        for (int back = 1; back <= Math.Min(Reach, history.Length); back++, weight *= _decay)
        {
            foreach (var (item, count) in _next[history[^back]] ?? [])
            {
                CollectionsMarshal.GetValueRefOrAddDefault(scores, item, out _) += weight * count;
            }
        }

        return _popularity.RankScored(scores, k, removed);
    }

    public IBaseline On(SequenceSet training) => new CoOccurrence(training, _next.Length, _window, _decay);
}
