using Recsys.Catalog.Attributes;

namespace Recsys.Retrieval;

/// <summary>The best of a ranking of which only so many may be alike.</summary>
internal static class CappedAnswer
{
    /// <summary>Times the answers wanted that are asked for at once: some will be too many of their kind.</summary>
    private const int Spare = 4;

    /// <summary>
    /// Takes answers from the best on and passes over those of a text that has its share. Where they run out, more are asked for, of other
    /// texts: so there are as many as were wanted wherever so many may be answered.
    /// </summary>
    /// <param name="ask">Answers a query without caps.</param>
    /// <param name="temperature">Of the softmax that makes probabilities of scores; null: they are no softmax.</param>
    public static IReadOnlyList<Recommendation> Of(
        RecommendQuery query, ItemAttributes attributes, Func<RecommendQuery, IReadOnlyList<Recommendation>> ask,
        double? temperature = null)
    {
        Recommendation? first = null;
        var taken = new List<Recommendation>();
        var counts = query.Caps.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal)).ToArray();
        int k = Math.Min(RecommendQuery.MaxK, Spare * query.K);
        while (true)
        {
            Condition[] spent = [.. query.Caps
                .Zip(counts, (cap, of) => new NotText(
                    cap.Attribute, [.. of.Where(text => text.Value >= cap.Most).Select(text => text.Key).Order(StringComparer.Ordinal)]))
                .Where(condition => condition.Texts.Count > 0)];
            var answers = ask(query with
            {
                K = k, Beam = query.Beam == 0 ? 0 : Math.Max(k, query.Beam), Caps = [],
                Exclude = [.. query.Exclude, .. taken.Select(answer => answer.Item)], Filter = ItemFilter.Both(query.Filter, spent),
            });
            first ??= answers.Count > 0 ? answers[0] : null;
            foreach (var answer in answers)
            {
                string[] texts = [.. query.Caps.Select(cap => attributes.Value(answer.Item, cap.Attribute))];
                if (texts.Index().All(text => text.Item.Length == 0
                    || counts[text.Index].GetValueOrDefault(text.Item) < query.Caps[text.Index].Most))
                {
                    // Later answers are of fewer candidates; their probabilities are to be of the first ones, and no place is known.
                    taken.Add(temperature is null ? answer : answer with
                    {
                        DecoderRank = null,
                        Probability = Math.Min(1, first!.Probability * Math.Exp((OfModel(answer) - OfModel(first)) / temperature.Value)),
                    });
                    for (int cap = 0; cap < texts.Length; cap++)
                    {
                        counts[cap][texts[cap]] = counts[cap].GetValueOrDefault(texts[cap]) + (texts[cap].Length == 0 ? 0 : 1);
                    }
                }

                if (taken.Count == query.K)
                {
                    return taken;
                }
            }

            if (answers.Count < k)
            {
                return taken; // all that may be answered was there
            }
        }
    }

    /// <summary>The score without what the query adds.</summary>
    private static double OfModel(Recommendation answer) =>
        answer.Score - answer.Parts.Where(part => part.Leg == Ranking.BoostPart).Sum(part => part.Value);
}
