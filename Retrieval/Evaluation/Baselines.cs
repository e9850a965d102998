namespace Recsys.Retrieval.Evaluation;

/// <summary>Ranks items for a history without a learned model, from counts of the training part alone.</summary>
public interface IBaseline
{
    /// <summary>Stable lower-case name.</summary>
    string Name { get; }

    /// <summary>The k best items, best first, none of <paramref name="removed"/>; ties by popularity, then by index.</summary>
    int[] Rank(ReadOnlySpan<int> history, int k, IReadOnlySet<int> removed);
}

/// <summary>The same items for everyone: those with most training interactions.</summary>
public sealed class Popularity : IBaseline
{
    private readonly int[] _order;

    public Popularity(SequenceSet training, int items)
    {
        var counts = new int[items];
        foreach (int item in training.Items)
        {
            counts[item]++;
        }

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
}
