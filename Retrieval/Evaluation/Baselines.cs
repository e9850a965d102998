namespace Recsys.Retrieval.Evaluation;

/// <summary>Ranks items for a history without a learned model, from counts of the training part alone.</summary>
public interface IBaseline
{
    /// <summary>Stable lower-case name.</summary>
    string Name { get; }

    /// <summary>The k best items, best first, none of <paramref name="removed"/>; ties by popularity, then by index.</summary>
    int[] Rank(ReadOnlySpan<int> history, int k, IReadOnlySet<int> removed);

    /// <summary>The same, with all that was chosen, from the counts of another training part.</summary>
    IBaseline On(SequenceSet training);
}

/// <summary>The same items for everyone: those with most training interactions.</summary>
public sealed class Popularity : IBaseline
{
    private readonly int[] _order;

    public Popularity(SequenceSet training, int items)
    {
        int[] counts = training.Interactions(items);
        _order = [.. Enumerable.Range(0, items).OrderByDescending(item => counts[item]).ThenBy(item => item)];
        Place = new int[items];
        for (int place = 0; place < items; place++)
        {
            Place[_order[place]] = place;
        }
    }

    public string Name => "popularity";

    /// <summary>[items] place in the ranking, from 0.</summary>
    public int[] Place { get; }

    public int[] Rank(ReadOnlySpan<int> history, int k, IReadOnlySet<int> removed) =>
        [.. _order.Where(item => !removed.Contains(item)).Take(k)];

    public IBaseline On(SequenceSet training) => new Popularity(training, Place.Length);

    /// <summary>The k best by their scores, ties by popularity; where fewer have one, the most popular of the others follow.</summary>
    internal int[] RankScored(Dictionary<int, float> scores, int k, IReadOnlySet<int> removed)
    {
        int[] ranked = [.. scores.Where(pair => !removed.Contains(pair.Key))
            .OrderByDescending(pair => pair.Value).ThenBy(pair => Place[pair.Key]).Take(k).Select(pair => pair.Key)];
        return ranked.Length == k
            ? ranked
            : [.. ranked, .. Rank([], k + ranked.Length, removed).Except(ranked).Take(k - ranked.Length)];
    }
}

/// <summary>Choices of a baseline.</summary>
internal static class BaselineChoice
{
    private const int At = 10;

    /// <summary>
    /// The variant with the best recall@10 on all users' validation targets, nothing removed; at equal recall the first. It sees no
    /// test target; where validation targets are asked for, it is flattered.
    /// </summary>
    public static T Best<T>(IEnumerable<T> variants, LeaveOneOut split)
        where T : IBaseline
    {
        var nothing = new HashSet<int>();
        return variants.MaxBy(variant => split.EvaluatedUsers.AsParallel().Count(
            user => variant.Rank(split.ValidationHistory(user), At, nothing).Contains(split.ValidationTarget(user))))!;
    }
}
