namespace Recsys.Retrieval.Evaluation;

/// <summary>The place of a target in a ranking of the whole catalogue.</summary>
public static class FullRanking
{
    /// <summary>Places from 0, ties by item index: among all items, and with the history's items left out. A target that is itself one of
    /// them is missed there: -1.</summary>
    /// <param name="scores">[items]</param>
    /// <param name="repeat">Added to the scores of the history's items.</param>
    /// <param name="target">An item index; one beyond the scores is missed in both.</param>
    public static (int Plain, int SeenRemoved) Rank(
        ReadOnlySpan<float> scores, int target, ReadOnlySpan<int> history, float repeat = 0)
    {
        if (target >= scores.Length || float.IsNaN(scores[target]))
        {
            return (-1, -1);
        }

        int items = scores.Length;
        var seen = history.ToArray().ToHashSet();
        bool repeats = seen.Contains(target);
        float own = scores[target] + (repeats ? repeat : 0);
        int above = 0; // of the items that are not in the history
        for (int item = 0; item < items; item++)
        {
            above += scores[item] > own || (scores[item] == own && item < target) ? 1 : 0;
        }

        seen.RemoveWhere(item => item >= items);
        int aboveSeen = 0;
        foreach (int item in seen)
        {
            above -= scores[item] > own || (scores[item] == own && item < target) ? 1 : 0;
            aboveSeen += scores[item] + repeat > own || (scores[item] + repeat == own && item < target) ? 1 : 0;
        }

        return (above + aboveSeen, repeats ? -1 : above);
    }
}
