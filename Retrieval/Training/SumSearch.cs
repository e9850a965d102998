using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Training;

/// <summary>
/// Chooses the weights of the legs and of a repeated item by NDCG@10 on validation targets: one after the other, each the best of its grid
/// with the others as they are, until none changes. Then the temperature that makes the probabilities of the answers honest on the same
/// targets. Test targets are not within its reach.
/// </summary>
internal static class SumSearch
{
    private const int MaxUsers = 6000, Batch = 32, K = 10, MaxRounds = 6;

    private static readonly double[] Factors = [0, 0.25, 0.5, 0.7, 0.85, 1.2, 1.4, 2, 4];
    private static readonly double[] Repeats = [-20, -8, -4, -2, -1, -0.5, 0, 0.5, 1, 2];
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
        double[]? fixedWeights = given is null ? null : [.. legs.Select(leg => given.GetValueOrDefault(leg))];
        double[] weights = fixedWeights is null
            ? Search(users, legs.Length, cancel)
            : [.. fixedWeights, BestRepeat(users, [.. fixedWeights, 0])];
        var sums = users.Where(user => user.Target >= 0).Select(user => (Sums: user.Sums(weights), user.Target)).ToArray();
        double temperature = sums.Length == 0 ? 1 : Temperatures.MinBy(t => sums.Average(user => Surprise(user.Sums, user.Target, t)));
        return model.With(new LegSum(
            legs.Zip(weights).ToDictionary(pair => pair.First, pair => Math.Round(pair.Second, 4)),
            Math.Clamp(weights[^1], -LegSum.MaxRepeat, LegSum.MaxRepeat), temperature,
            Math.Max(1.0 / (users.Length + 1), (double)sums.Length / users.Length),
            legs.Index().ToDictionary(
                leg => leg.Item, leg => BestRepeat(users, [.. legs.Index().Select(other => other.Index == leg.Index ? 1.0 : 0), 0]))));
    }

    private static double[] Search(Held[] users, int legs, CancellationToken cancel)
    {
        double[] best = [.. Enumerable.Repeat(1.0, legs), 0];
        best[^1] = BestRepeat(users, best);
        double gain = Ndcg(users, best);
        for (int round = 0; round < MaxRounds; round++)
        {
            double before = gain;
            for (int at = 0; at <= legs; at++)
            {
                cancel.ThrowIfCancellationRequested();
                double now = best[at];
                foreach (double value in at == legs ? Repeats : Factors.Select(factor => factor * (now == 0 ? 0.5 : now)).ToArray())
                {
                    double[] tried = [.. best];
                    tried[at] = value;
                    double reached = Ndcg(users, tried);
                    if (reached > gain && tried.Take(legs).Any(weight => weight > 0))
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

        double scale = best.Take(legs).Sum();
        return [.. best.Select((weight, at) => weight / scale)];
    }

    private static double BestRepeat(Held[] users, double[] weights) => Repeats.MaxBy(repeat => Ndcg(users, [.. weights[..^1], repeat]));

    private static double Ndcg(Held[] users, double[] weights) => users.AsParallel().Sum(user => user.Ndcg(weights)) / users.Length;

    private static double Surprise(double[] sums, int target, double temperature)
    {
        double top = sums.Max();
        return Math.Log(sums.Sum(sum => Math.Exp((sum - top) / temperature))) - ((sums[target] - top) / temperature);
    }

    private static Held[] Users(RetrievalModel model, ItemTable items, HeldOut held, CancellationToken cancel)
    {
        using var recommender = Recommender.Borrowing(model, items);
        int legs = model.Config.Sum.Weights.Count;
        int[] byLength = [.. Enumerable.Range(0, held.Count).OrderBy(user => held.Histories[user].Length).ThenBy(user => user)];
        int[][] batches = [.. byLength.Chunk(Math.Min(Batch, recommender.MaxRows(recommender.BeamFor(K, 0), K)))];
        var users = new Held[batches.Length][];
        ComputeThreads.Each(batches.Length, at =>
        {
            var found = recommender.Find([.. batches[at].Select(user => new RecommendQuery(held.Histories[user], K))]);
            users[at] = [.. batches[at].Zip(
                found, (user, row) => Held.Of(row.Candidates, legs, held.Histories[user].ToHashSet(), held.Targets[user]))];
        }, cancel);

        return [.. users.SelectMany(some => some)];
    }

    /// <summary>A user's candidates.</summary>
    /// <param name="Scores">[candidates × parts]</param>
    /// <param name="Target">Place of the target among them, -1: it is none of them.</param>
    private sealed record Held(float[] Scores, int Parts, int Target)
    {
        public static Held Of((int Item, double[] Scores)[] candidates, int legs, HashSet<int> seen, int target)
        {
            var scores = new float[candidates.Length * (legs + 1)];
            for (int i = 0; i < candidates.Length; i++)
            {
                for (int leg = 0; leg < legs; leg++)
                {
                    scores[(i * (legs + 1)) + leg] = (float)candidates[i].Scores[leg];
                }

                scores[(i * (legs + 1)) + legs] = seen.Contains(candidates[i].Item) ? 1 : 0;
            }

            return new Held(scores, legs + 1, Array.FindIndex(candidates, candidate => candidate.Item == target));
        }

        public double[] Sums(double[] weights) => [.. Enumerable.Range(0, Scores.Length / Parts).Select(at => Sum(at, weights))];

        public double Ndcg(double[] weights)
        {
            if (Target < 0)
            {
                return 0;
            }

            double target = Sum(Target, weights);
            int above = 0;
            for (int at = 0; at < Scores.Length / Parts && above < K; at++)
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
                sum += weights[part] == 0 ? 0 : weights[part] * Scores[(at * Parts) + part];
            }

            return sum;
        }
    }
}
