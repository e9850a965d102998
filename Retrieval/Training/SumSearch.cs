using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Training;

/// <summary>
/// Chooses the weights of the legs and of the facts of an item by NDCG@10 on validation targets: one after the other, each the best of its
/// grid with the others as they are, until none changes; cold items get all the weight that costs next to nothing. Then the temperature
/// that makes the probabilities of the answers honest on the same targets. Test targets are not within its reach.
/// </summary>
internal static class SumSearch
{
    private const int MaxUsers = 6000, Batch = 32, K = 10, MaxRounds = 6;

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
        CancellationToken cancel)
    {
        var users = Users(model, items, held.Draw(MaxUsers, seed), cancel);
        string[] legs = [.. model.Config.Sum.Weights.Keys];
        double cold = (double)held.Targets.Count(model.IsCold) / held.Count;
        double[] weights = Search(users, legs, given, cold, cancel);
        var sums = users.Where(user => user.Target >= 0).Select(user => (Sums: user.Sums(weights), user.Target)).ToArray();
        double temperature = sums.Length == 0 ? 1 : Temperatures.MinBy(t => sums.Average(user => Surprise(user.Sums, user.Target, t)));
        double[] facts = [.. weights[legs.Length..].Select(weight => Math.Clamp(weight, -LegSum.MaxFact, LegSum.MaxFact))];
        return model.With(new LegSum(
            legs.Zip(weights).ToDictionary(pair => pair.First, pair => Math.Round(pair.Second, 4)), facts[0], temperature,
            Math.Max(1.0 / (users.Length + 1), (double)sums.Length / users.Length),
            legs.Index().ToDictionary(
                leg => leg.Item, leg => BestRepeat(users, [.. legs.Select((_, other) => other == leg.Index ? 1.0 : 0), 0, 0, 0])),
            facts[1], facts[2]));
    }

    /// <returns>[legs + facts]</returns>
    private static double[] Search(
        Held[] users, string[] legs, IReadOnlyDictionary<string, double>? given, double coldShare, CancellationToken cancel)
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

        double enough = gain * (1 - (ColdAllowance * coldShare));
        best[^1] = facts[^1].Where(value => value > best[^1]).Order()
            .TakeWhile(value => Ndcg(users, [.. best[..^1], value]) >= enough).LastOrDefault(best[^1]);
        double scale = given is null ? best.Take(legs.Length).Sum() : 1;
        return [.. best.Select(weight => weight / scale)];
    }

    private static double BestRepeat(Held[] users, double[] weights)
    {
        int at = weights.Length - LegSum.FactNames.Count;
        return Repeats.MaxBy(repeat => Ndcg(users, [.. weights[..at], repeat, .. weights[(at + 1)..]]));
    }

    private static double Ndcg(Held[] users, double[] weights) => users.AsParallel().Sum(user => user.Ndcg(weights)) / users.Length;

    private static double Surprise(double[] sums, int target, double temperature)
    {
        double top = sums.Max();
        return Math.Log(sums.Sum(sum => Math.Exp((sum - top) / temperature))) - ((sums[target] - top) / temperature);
    }

    private static Held[] Users(RetrievalModel model, ItemTable items, HeldOut held, CancellationToken cancel)
    {
        using var recommender = Recommender.Borrowing(model, items);
        int[] byLength = [.. Enumerable.Range(0, held.Count).OrderBy(user => held.Histories[user].Length).ThenBy(user => user)];
        int[][] batches = [.. byLength.Chunk(Math.Min(Batch, recommender.MaxRows(recommender.BeamFor(K, 0), K)))];
        var users = new Held[batches.Length][];
        ComputeThreads.Each(batches.Length, at =>
        {
            var found = recommender.Find(
                [.. batches[at].Select(user => new RecommendQuery(held.Histories[user], K, User: held.Users?[user]))], [false])[0];
            users[at] = [.. batches[at].Zip(found, (user, row) =>
            {
                var seen = held.Histories[user].ToHashSet();
                return Held.Of(
                    [.. row.Candidates.Select(candidate => recommender.Parts(candidate.Item, candidate.Scores, seen))],
                    Array.FindIndex(row.Candidates, candidate => candidate.Item == held.Targets[user]));
            })];
        }, cancel);

        return [.. users.SelectMany(some => some)];
    }

    /// <summary>A user's candidates.</summary>
    /// <param name="Values">[candidates × parts]</param>
    /// <param name="Target">Place of the target among them, -1: it is none of them.</param>
    private sealed record Held(float[] Values, int Parts, int Target)
    {
        public static Held Of(double[][] parts, int target) =>
            new([.. parts.SelectMany(of => of.Select(value => (float)value))], parts.Length == 0 ? 1 : parts[0].Length, target);

        public double[] Sums(double[] weights) => [.. Enumerable.Range(0, Values.Length / Parts).Select(at => Sum(at, weights))];

        public double Ndcg(double[] weights)
        {
            if (Target < 0)
            {
                return 0;
            }

            double target = Sum(Target, weights);
            int above = 0;
            for (int at = 0; at < Values.Length / Parts && above < K; at++)
            {
                double sum = Sum(at, weights);
                above += sum > target || (sum == target && at < Target) ? 1 : 0;
            }

            return RankingMetrics.Ndcg(above, K);
        }

        private double Sum(int at, double[] weights)
        {
            double sum = 0;
            for (int part = 0; part < Parts; part++)
            {
                sum += weights[part] == 0 ? 0 : weights[part] * Values[(at * Parts) + part];
            }

            return sum;
        }
    }
}
