namespace Recsys.Retrieval.Evaluation;

/// <summary>The place of a target in a ranking of the whole catalogue.</summary>
public static class FullRanking
{
    /// <summary>Places from 0, ties by item index: among all items, and with the history's items left out. A target that is itself one of
    /// them is missed there: -1.</summary>
    /// <param name="scores">[items]</param>
    /// <param name="target">An item index; one beyond the scores is missed in both.</param>
    public static (int Plain, int SeenRemoved) Rank(ReadOnlySpan<float> scores, int target, ReadOnlySpan<int> history)
    {
        if (target >= scores.Length || float.IsNaN(scores[target]))
        {
            return (-1, -1);
        }

        float own = scores[target];
        int above = 0;
        for (int item = 0; item < scores.Length; item++)
        {
            above += scores[item] > own || (scores[item] == own && item < target) ? 1 : 0;
        }

        int seen = 0;
        foreach (int item in history.ToArray().ToHashSet())
        {
            if (item == target)
            {
                return (above, -1);
            }

            seen += item < scores.Length && (scores[item] > own || (scores[item] == own && item < target)) ? 1 : 0;
        }

        return (above, above - seen);
    }
}
