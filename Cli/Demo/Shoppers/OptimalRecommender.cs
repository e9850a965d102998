using Recsys.Catalog;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>
/// The Bayes-optimal recommender for simulated shoppers: it knows every table of <see cref="TasteModel"/>, and of a shopper only the
/// history. It keeps the exact joint posterior of persona and theme (forward algorithm: predict, then weigh by the likelihood of what
/// was taken, repeats excluded as the model does), so that its probabilities of the next sticker are the true ones, and the K most
/// probable maximise expected Recall@K and NDCG@K.
/// </summary>
public sealed class OptimalRecommender(TasteModel model)
{
    /// <summary>[items] exact probability that each sticker comes next; 0 for those in the history; sums to 1.</summary>
    /// <param name="history">Item indexes, oldest first; may be empty.</param>
    /// <exception cref="CatalogException">An item that is not in the catalogue, or one taken twice.</exception>
    public double[] NextProbabilities(ReadOnlySpan<int> history)
    {
        var probabilities = new double[model.ItemCount];
        new ForwardFilter(model).Predict(history, probabilities);
        return probabilities;
    }

    /// <summary>Scores itself on the test targets of a split, item level, full ranking; ties go to the lower index.</summary>
    /// <param name="split">Of this model's simulated sequences.</param>
    /// <param name="ks">Cut-offs, at least 1.</param>
    public OptimalScore Score(LeaveOneOut split, params int[] ks)
    {
        if (ks.Length == 0 || ks.Any(k => k < 1))
        {
            throw CatalogException.Invalid($"Cut-offs {string.Join(", ", ks)}: at least one, each at least 1.");
        }

        int users = split.EvaluatedUsers.Length;
        var ranks = new int[users];
        var (expectedRecall, expectedNdcg) = (new double[users][], new double[users][]);
        Parallel.For(0, users, () => (Filter: new ForwardFilter(model), Probabilities: new double[model.ItemCount]), (at, _, own) =>
        {
            int user = split.EvaluatedUsers[at];
            own.Filter.Predict(split.TestHistory(user), own.Probabilities);
            ranks[at] = Rank(own.Probabilities, split.TestTarget(user));
            Array.Sort(own.Probabilities);
            Array.Reverse(own.Probabilities);
            expectedRecall[at] = [.. ks.Select(k => own.Probabilities.Take(k).Sum())];
            expectedNdcg[at] = [.. ks.Select(k => own.Probabilities.Take(k).Select((p, rank) => p / Math.Log2(rank + 2)).Sum())];
            return own;
        }, _ => { });
        return new OptimalScore(
            users,
            ks,
            [.. ks.Select(k => ranks.Count(rank => rank <= k) / (double)Math.Max(1, users))],
            [.. ks.Select(k => ranks.Sum(rank => rank <= k ? 1 / Math.Log2(rank + 1) : 0) / Math.Max(1, users))],
            Mean(expectedRecall, ks.Length),
            Mean(expectedNdcg, ks.Length));
    }

    private static double[] Mean(double[][] rows, int columns) =>
        [.. Enumerable.Range(0, columns).Select(column => rows.Length == 0 ? 0 : rows.Average(row => row[column]))];

    private static int Rank(double[] scores, int target)
    {
        int rank = 1;
        for (int item = 0; item < scores.Length; item++)
        {
            rank += scores[item] > scores[target] || (scores[item] == scores[target] && item < target) ? 1 : 0;
        }

        return rank;
    }
}
