using System.Text.Json.Nodes;

namespace Recsys.Retrieval.Evaluation;

/// <summary>What the generative leg's beam finds beside what it would find if it scored every item: how much the search loses.</summary>
/// <param name="Users">That were asked, drawn by the seed.</param>
/// <param name="K">Items that are compared.</param>
/// <param name="All">Where every item may be answered.</param>
/// <param name="Half">Where half of the items, drawn anew for each user, are left out: filter, then rank.</param>
public sealed record DecoderCheck(int Users, int Beam, int K, DecoderAgreement All, DecoderAgreement Half)
{
    private const int Compared = 10;

    /// <param name="users">0: all.</param>
    internal static DecoderCheck Of(
        Recommender recommender, LeaveOneOut split, EvaluationOptions options, int users, IProgress<StageProgress>? progress,
        CancellationToken cancel)
    {
        int[] drawn = RetrievalEvaluator.Users(split, options with { Users = users });
        var (pairs, done, gate) = (new (Pair All, Pair Half)[drawn.Length], 0, new Lock());
        ComputeThreads.Each(
            drawn.Length,
            at =>
            {
                var random = new Random(Seeds.ToInt32(options.Seed + ((long)drawn[at] << 24)));
                var query = new RecommendQuery(
                    RetrievalEvaluator.History(split, drawn[at], options.Target).ToArray(), Compared, options.Beam,
                    User: split.Train.Users[drawn[at]]);
                int[] half = [.. Enumerable.Range(0, recommender.Items.Count).Where(_ => random.Next(2) == 0)];
                pairs[at] = (Compare(recommender, query), Compare(recommender, query with { Exclude = half }));
                lock (gate)
                {
                    progress?.Report(new StageProgress("exhaustive", ++done, drawn.Length));
                }
            },
            cancel);
        return new DecoderCheck(
            drawn.Length, recommender.BeamFor(Compared, options.Beam), Compared, DecoderAgreement.Of([.. pairs.Select(pair => pair.All)]),
            DecoderAgreement.Of([.. pairs.Select(pair => pair.Half)]));
    }

    public JsonObject ToJson() => new()
    {
        ["users"] = Users, ["beam"] = Beam, ["k"] = K, ["all"] = All.ToJson(), ["half_left_out"] = Half.ToJson(),
    };

    private static Pair Compare(Recommender recommender, RecommendQuery query)
    {
        var (found, all) = (recommender.Decode(query, exhaustive: false), recommender.Decode(query, exhaustive: true));
        int[] exact = [.. all.Items.Take(Compared).Select(item => item.Item)];
        int[] best = [.. found.Items.Take(Compared).Select(item => item.Item)];
        return new Pair(
            best.SequenceEqual(exact), exact.Length == 0 ? 1 : exact.Intersect(best).Count() / (double)exact.Length,
            found.Certain >= exact.Length,
            found.Items.Zip(all.Items).Take(found.Certain).All(pair => pair.First.Item == pair.Second.Item));
    }

    /// <param name="Same">The items, in this order.</param>
    /// <param name="Recall">Of the exhaustive list.</param>
    /// <param name="Certain">Whether the search says that they are the same.</param>
    /// <param name="Holds">Whether all that it says so of is.</param>
    internal sealed record Pair(bool Same, double Recall, bool Certain, bool Holds);
}

/// <param name="Same">Share of the users whose items are the same, in the same order.</param>
/// <param name="Recall">Share of the exhaustive lists' items that the beam finds.</param>
/// <param name="Certain">Share of the users whose list the search itself has proved.</param>
/// <param name="Disproved">Users of whom it has claimed a place that is not the item's: none, but for rounding where other operators answer
/// than the packed ones.</param>
public sealed record DecoderAgreement(double Same, double Recall, double Certain, int Disproved)
{
    internal static DecoderAgreement Of(DecoderCheck.Pair[] pairs) => new(
        pairs.Average(pair => pair.Same ? 1.0 : 0), pairs.Average(pair => pair.Recall), pairs.Average(pair => pair.Certain ? 1.0 : 0),
        pairs.Count(pair => !pair.Holds));

    internal JsonObject ToJson() => new()
    {
        ["same"] = Same, ["recall"] = Recall, ["certain"] = Certain, ["disproved"] = Disproved,
    };
}
