using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval;

/// <summary>Candidates in the order of their scores, with what the scores are made of.</summary>
/// <param name="fresh">Items that came after training.</param>
/// <param name="legs">Names, in the order of a candidate's scores.</param>
internal sealed class Ranking(RetrievalModel model, ItemTable items, NewItems fresh, string[] legs)
{
    /// <summary>Items of the history that an answer names as what it follows.</summary>
    private const int MaxReasons = 3;

    /// <summary>The part of a score that the query adds.</summary>
    public const string BoostPart = "boost";

    private readonly string[] _parts = [.. legs, .. LegSum.FactNames, Interplay.PartName];
    private readonly double[] _weights =
        [.. legs.Select(leg => model.Config.Sum.Weights[leg]), .. model.Config.Sum.FactWeights(), 1];

    private readonly TransitionLeg? _transitions = model.Legs.OfType<TransitionLeg>().FirstOrDefault();

    /// <param name="candidates">Scores: [legs].</param>
    /// <param name="decoded">What the generative leg found alone.</param>
    /// <returns>The best, at most as many as the query asks for.</returns>
    public Recommendation[] Of(RecommendQuery query, (int Item, double[] Scores)[] candidates, Decoded decoded)
    {
        var sum = model.Config.Sum;
        var seen = query.History.Concat(query.Unread).ToHashSet();
        double[][] parts = [.. candidates.Select(candidate => Parts(candidate.Item, candidate.Scores, seen))];
        double[]? interplay = sum.Interplay?.Of(Interplay.Inputs(parts, legs.Length, query.History.Count));
        parts = [.. parts.Select((of, at) => (double[])[.. of, interplay?[at] ?? 0])];
        double[] scores = [.. parts.Select(values => values.Zip(_weights, (value, weight) => weight == 0 ? 0 : weight * value).Sum())];
        double top = scores.DefaultIfEmpty().Max();
        double total = scores.Sum(score => Math.Exp((score - top) / sum.Temperature));
        double[] boosts = [.. candidates.Select(candidate => Boosted(query, candidate.Item))];
        double[] boosted = [.. scores.Zip(boosts, (score, boost) => score + boost)];
        var places = decoded.Items.Take(decoded.Certain).Index().ToDictionary(found => found.Item.Item, found => found.Index + 1);
        var read = Read(query);
        return [.. Enumerable.Range(0, candidates.Length)
            .OrderByDescending(at => Drawn(query, candidates[at].Item, boosted[at] / sum.Temperature) ?? boosted[at])
            .ThenBy(at => candidates[at].Item).Take(query.K)
            .Select(at => new Recommendation(
                candidates[at].Item, items.SemanticIds[candidates[at].Item], boosted[at],
                sum.Coverage * Math.Exp((scores[at] - top) / sum.Temperature) / total,
                [.. _parts.Index().Where(part => part.Index < legs.Length || _weights[part.Index] * parts[at][part.Index] != 0)
                    .Select(part => new ScorePart(part.Item, _weights[part.Index], parts[at][part.Index])),
                    .. boosts[at] == 0 ? [] : new[] { new ScorePart(BoostPart, 1, boosts[at]) }])
            {
                Reasons = [.. Reasons(read, candidates[at].Item).Take(MaxReasons)],
                DecoderRank = places.TryGetValue(candidates[at].Item, out int place) ? place : null,
            })];
    }

    /// <summary>What the parts of a score are made of: what each leg says, and what is known of the item itself.</summary>
    /// <param name="scores">[legs]</param>
    public double[] Parts(int item, double[] scores, IReadOnlySet<int> seen) =>
        [.. scores, .. LegSum.Facts(seen.Contains(item), item < model.Interactions.Length ? model.Interactions[item] : 0)];

    /// <summary>What a query adds to an item's score.</summary>
    public double Boosted(RecommendQuery query, int item) => query.Boosts.Sum(
        boost => boost.Condition.Passes(items.Attributes.Value(item, boost.Condition.Attribute)) ? boost.Add : 0);

    /// <summary>What an item is sorted by where answers are drawn; null where they are not.</summary>
    /// <param name="logarithm">Of its chance.</param>
    public double? Drawn(RecommendQuery query, int item, double logarithm) => query.Sampling is { } sampling
        ? (logarithm / sampling.Temperature) + sampling.Noise(items.Ids[item])
        : null;

    /// <summary>Items of the history that an item was seen to follow, most evidence first.</summary>
    public ScoreReason[] Reasons(RecommendQuery query, int item) => Reasons(Read(query), item);

    private (IReadOnlyList<int> Items, IReadOnlyList<double>? Weights) Read(RecommendQuery query) =>
        query.Read(_transitions?.History ?? 0);

    private ScoreReason[] Reasons((IReadOnlyList<int> Items, IReadOnlyList<double>? Weights) read, int item)
    {
        if (_transitions is null)
        {
            return [];
        }

        double weight = model.Config.Sum.Weights[_transitions.Name];
        return [.. _transitions.Reasons(read.Items, item, read.Weights, fresh)
            .Select(reason => new ScoreReason(reason.Item, weight * reason.Part)).Where(reason => reason.Part > 0)];
    }
}
