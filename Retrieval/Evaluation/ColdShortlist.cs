namespace Recsys.Retrieval.Evaluation;

/// <summary>
/// LIGER's ranking (arXiv 2411.18814): the items that the generative model finds best, together with all cold items, by what they are.
/// Few items compete, so its figures stand beside LIGER's alone.
/// </summary>
public static class ColdShortlist
{
    /// <summary>Generated items, of which there may be fewer: as in LIGER's reported figures.</summary>
    public const int Generated = 20;

    /// <summary>Place of a cold target from 0, ties by item index; -1: left out, or the leg says nothing of it.</summary>
    /// <param name="scores">[items] what the content leg says; NaN: nothing.</param>
    /// <param name="cold">All cold items.</param>
    /// <param name="beam">What the generative leg finds, best first.</param>
    /// <param name="excluded">Items that may not be ranked.</param>
    public static int Place(float[] scores, IReadOnlyList<int> cold, IReadOnlyList<int> beam, int target, IReadOnlySet<int> excluded) =>
        excluded.Contains(target) || float.IsNaN(scores[target]) ? -1 : beam.Take(Generated).Union(cold).Count(item =>
            item < scores.Length && !excluded.Contains(item)
            && (scores[item] > scores[target] || (scores[item] == scores[target] && item < target)));
}
