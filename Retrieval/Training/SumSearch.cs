using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Training;

/// <summary>
/// Chooses the weights of the legs and of the facts of an item by NDCG@10 on validation targets: one after the other, each the best of its
/// grid with the others as they are, until none changes; cold items get all the weight that costs next to nothing. Then the temperature
/// that makes the probabilities of the answers honest on the same targets, and an <see cref="Interplay"/> where it is worth it: what cold
/// items get and the temperature are then of targets that its fit has not seen. Test targets are not within its reach.
/// </summary>
internal static class SumSearch
{
    /// <summary>The stage's name in progress reports.</summary>
    public const string Stage = "sum";

    private const int MaxUsers = 24_000, Batch = 32, K = HeldCandidates.K, MaxRounds = 6;

    private static readonly double[] Factors = [0, 0.25, 0.5, 0.7, 0.85, 1.2, 1.4, 2, 4];
    private static readonly double[] Repeats = [-20, -8, -4, -2, -1, -0.5, 0, 0.5, 1, 2];
    private static readonly double[] Popularities =
        [-0.8, -0.4, -0.2, -0.1, -0.05, -0.03, -0.015, 0, 0.015, 0.03, 0.05, 0.1, 0.2, 0.4, 0.8];

    private static readonly double[] Colds = [0, 0.125, 0.25, 0.375, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

    /// <summary>What may be given of NDCG@10 for new items to be seen, as a share of it, for each share of targets that are cold: what they
    /// gain is theirs alone, and an item that nobody sees stays new.</summary>
    private const double ColdAllowance = 0.2;

    private static readonly double[] Temperatures =
        [0.05, 0.07, 0.1, 0.14, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6, 9];

    /// <param name="given">Weights by leg that are not to be chosen; null: all are.</param>
    /// <returns>The model with its sum; takes over the legs of <paramref name="model"/>.</returns>
    public static RetrievalModel Choose(
        RetrievalModel model, ItemTable items, HeldOut held, IReadOnlyDictionary<string, double>? given, long seed,
        IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        var users = Users(model, items, held.Draw(MaxUsers, seed), progress, cancel);
        string[] legs = [.. model.Config.Sum.Weights.Keys];
        double coldShare = (double)held.Targets.Count(model.IsCold) / held.Count;
        var (weights, scale) = Search(users, legs, given, coldShare, cancel);
        double temperature = Temperature(users, weights);
        var interplay = given is null ? InterplayFit.Choose(users, weights, temperature, legs.Length, seed, cancel) : null;
        if (interplay is { } found)
        {
            HeldCandidates[] joined = [.. users.Zip(found.HeldOut, (user, values) => user.With(values))];
            int cold = weights.Length - 1;
            weights[cold] = Cold(joined, [.. weights, 1], cold, coldShare, scale);
            temperature = Temperature(joined, [.. weights, 1]);
        }

        double[] facts = [.. weights[legs.Length..].Select(weight => Math.Clamp(weight, -LegSum.MaxFact, LegSum.MaxFact))];
        return model.With(new LegSum(
            legs.Zip(weights).ToDictionary(pair => pair.First, pair => pair.Second), facts[0], temperature,
            Math.Max(1.0 / (users.Length + 1), (double)users.Count(user => user.Target >= 0) / users.Length),
            legs.Index().ToDictionary(
                leg => leg.Item, leg => BestRepeat(users, [.. legs.Select((_, other) => other == leg.Index ? 1.0 : 0), 0, 0, 0])),
            facts[1], facts[2], interplay?.Fit));
    }

    /// <returns>[legs + facts], and what their units were divided by.</returns>
    private static (double[] Weights, double Scale) Search(
        HeldCandidates[] users, string[] legs, IReadOnlyDictionary<string, double>? given, double coldShare, CancellationToken cancel)
    {
        double[] best = [.. legs.Select(leg => given is null ? 1 : given.GetValueOrDefault(leg)), 0, 0, 0];
        best[legs.Length] = BestRepeat(users, best);
        double[][] facts = [Repeats, Popularities, coldShare > 0 ? Colds : []];
        double gain = Ndcg(users, best);
        for (int round = 0; round < MaxRounds; round++)
        {
            double before = gain;
            for (int at = given is null ? 0 : legs.Length; at < best.Length; at++)
            {
                cancel.ThrowIfCancellationRequested();
                double now = best[at];
                foreach (double value in
                    at >= legs.Length ? facts[at - legs.Length] : Factors.Select(factor => factor * (now == 0 ? 0.5 : now)).ToArray())
                {
                    double[] tried = [.. best];
                    tried[at] = value;
                    double reached = Ndcg(users, tried);
                    if (reached > gain && tried.Take(legs.Length).Any(weight => weight > 0))
                    {
                        (best, gain) = (tried, reached);
                    }
                }
            }

            if (gain == before)
            {
                break;
            }
        }

        best[^1] = Cold(users, best, best.Length - 1, coldShare, 1);
        double scale = given is null ? best.Take(legs.Length).Sum() : 1;
        return ([.. best.Select((weight, at) => at < legs.Length ? Math.Round(weight / scale, 4) : weight / scale)], scale);
    }

    /// <summary>The largest weight of cold items that costs next to nothing.</summary>
    /// <param name="at">Its place among the weights.</param>
    /// <param name="scale">What the weights' units were divided by.</param>
    private static double Cold(HeldCandidates[] users, double[] weights, int at, double coldShare, double scale)
    {
        if (coldShare == 0)
        {
            return weights[at];
        }

        double Reached(double value) => Ndcg(users, [.. weights[..at], value, .. weights[(at + 1)..]]);
        double enough = Reached(weights[at]) * (1 - (ColdAllowance * coldShare));
        return Colds.Select(value => value / scale).Where(value => value > weights[at]).Order()
            .TakeWhile(value => Reached(value) >= enough).LastOrDefault(weights[at]);
    }

    private static double Temperature(HeldCandidates[] users, double[] weights)
    {
        var sums = users.Where(user => user.Target >= 0).Select(user => (Sums: user.Sums(weights), user.Target)).ToArray();
        return sums.Length == 0
            ? 1
            : Temperatures.MinBy(t => sums.AsParallel().AsOrdered().Select(user => Surprise(user.Sums, user.Target, t)).Sum());
    }

    private static double BestRepeat(HeldCandidates[] users, double[] weights)
    {
        int at = weights.Length - LegSum.FactNames.Count;
        return Repeats.MaxBy(repeat => Ndcg(users, [.. weights[..at], repeat, .. weights[(at + 1)..]]));
    }

    private static double Ndcg(HeldCandidates[] users, double[] weights) =>
        users.AsParallel().Sum(user => user.Ndcg(weights)) / users.Length;

    private static double Surprise(double[] sums, int target, double temperature)
    {
        double top = sums.Max();
        return Math.Log(sums.Sum(sum => Math.Exp((sum - top) / temperature))) - ((sums[target] - top) / temperature);
    }

    private static HeldCandidates[] Users(
        RetrievalModel model, ItemTable items, HeldOut held, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        using var recommender = Recommender.Borrowing(model, items);
        int[] byLength = [.. Enumerable.Range(0, held.Count).OrderBy(user => held.Histories[user].Length).ThenBy(user => user)];
        int[][] batches = [.. byLength.Chunk(Math.Min(Batch, recommender.MaxRows(recommender.BeamFor(K, 0), K)))];
        var users = new HeldCandidates[batches.Length][];
        int done = 0;
        ComputeThreads.Each(batches.Length, at =>
        {
            var found = recommender.Find(
                [.. batches[at].Select(user => new RecommendQuery(held.Histories[user], K, User: held.Users?[user]))], [false])[0];
            users[at] = [.. batches[at].Zip(found, (user, row) =>
            {
                var seen = held.Histories[user].ToHashSet();
                return HeldCandidates.Of(
                    [.. row.Candidates.Select(candidate => recommender.Parts(candidate.Item, candidate.Scores, seen))],
                    Array.FindIndex(row.Candidates, candidate => candidate.Item == held.Targets[user]), held.Histories[user].Length);
            })];
            progress?.Report(new StageProgress(Stage, Interlocked.Increment(ref done), batches.Length));
        }, cancel);

        return [.. users.SelectMany(some => some)];
    }
}
