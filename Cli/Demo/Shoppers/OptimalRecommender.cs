using Recsys.Catalog;
using Recsys.Retrieval.Evaluation;

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

    /// <summary>The best possible score on the test targets of a split: item level, full ranking; ties go to the lower index.</summary>
    /// <param name="split">Of this model's simulated sequences.</param>
    /// <param name="ks">Cut-offs, at least 1.</param>
    public MetricRow Score(LeaveOneOut split, params int[] ks)
    {
        var ranks = new int[split.EvaluatedUsers.Length];
        Parallel.For(0, ranks.Length, at =>
        {
            int user = split.EvaluatedUsers[at], target = split.TestTarget(user);
            var probabilities = NextProbabilities(split.TestHistory(user));
            double asked = probabilities[target];
            ranks[at] = probabilities.Index().Count(other => other.Item > asked || (other.Item == asked && other.Index < target));
        });
        return MetricRow.Of(ranks, ks, (long)model.Options.Seed);
    }
}
