namespace Recsys.Retrieval.Evaluation;

/// <summary>What lists of items are like, whoever they are for and whether or not they hit.</summary>
/// <param name="Coverage">Share of the catalogue that is in some list.</param>
/// <param name="Novelty">Bits: the mean of -log2 p over what is listed, p = (training interactions + 1) / (all of them + items); unseen
/// items are finite so.</param>
/// <param name="Diversity">Mean distance of two items of a list, 0 to 1: the share of levels behind the codes that both begin with. Later
/// codes of different beginnings say nothing of likeness. Null: no list has two items.</param>
/// <param name="Gini">Of how often each item of the catalogue is listed: 0 all alike, near 1 few have all.</param>
public sealed record ListQuality(double Coverage, double Novelty, double? Diversity, double Gini)
{
    /// <param name="lists">[lists][items] item indexes, distinct within a list.</param>
    /// <param name="counts">[items] training interactions.</param>
    public static ListQuality Of(int[][] lists, ItemTable items, int[] counts)
    {
        var shown = new long[items.Count];
        double total = counts.Sum(count => (long)count) + items.Count, bits = 0, distances = 0;
        int diverse = 0;
        foreach (int[] list in lists)
        {
            foreach (int item in list)
            {
                shown[item]++;
                bits -= Math.Log2((counts[item] + 1) / total);
            }

            diverse += list.Length > 1 ? 1 : 0;
            distances += list.Length > 1 ? Distance(Array.ConvertAll(list, item => items.SemanticIds[item])) : 0;
        }

        return new ListQuality(
            (double)shown.Count(times => times > 0) / items.Count, bits / Math.Max(1, shown.Sum()),
            diverse == 0 ? null : distances / diverse, GiniOf(shown));
    }

    /// <summary>Gini's coefficient: half the mean difference of two values, as a share of their mean; 0 where all are 0.</summary>
    internal static double GiniOf(long[] values)
    {
        double sum = values.Sum(), weighted = values.Order().Select((value, at) => ((2.0 * at) + 1 - values.Length) * value).Sum();
        return sum == 0 ? 0 : weighted / (values.Length * sum);
    }

    /// <summary>Mean over the pairs.</summary>
    private static double Distance(SemanticId[] ids)
    {
        double sum = 0;
        for (int a = 0; a < ids.Length; a++)
        {
            for (int b = 0; b < a; b++)
            {
                int same = 0;
                while (same < ids[a].Levels && ids[a][same] == ids[b][same])
                {
                    same++;
                }

                sum += 1 - ((double)same / ids[a].Levels);
            }
        }

        return sum / (ids.Length * (ids.Length - 1) / 2.0);
    }
}
