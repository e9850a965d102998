namespace Recsys.Retrieval.Evaluation;

/// <summary>One metric of two versions on the same users.</summary>
/// <param name="Difference">After - before, with its 95 % interval by the paired bootstrap: users are drawn, each with both its
/// values.</param>
/// <param name="Differing">Share of users for whom the two differ.</param>
public sealed record PairedComparison(string Protocol, string Metric, double After, double Before, Metric Difference, double Differing)
{
    private const int K = 10;

    /// <summary>Recall and NDCG at 10, in that order.</summary>
    /// <exception cref="CatalogException">The two are not of one protocol and the same users.</exception>
    public static IEnumerable<PairedComparison> Of(ProtocolResult after, ProtocolResult before, long seed)
    {
        if (after.Protocol != before.Protocol || !after.Answers.Users.SequenceEqual(before.Answers.Users))
        {
            throw CatalogException.Precondition(
                $"Two rankings compare under one protocol and on the same users; these are '{after.Protocol.Name}' of "
                + $"{after.Answers.Users.Length} users and '{before.Protocol.Name}' of {before.Answers.Users.Length}.");
        }

        return
        [
            Of($"recall@{K}", rank => RankingMetrics.Recall(rank, K)),
            Of($"ndcg@{K}", rank => RankingMetrics.Ndcg(rank, K)),
        ];

        PairedComparison Of(string metric, Func<int, double> of)
        {
            double[] now = [.. after.Answers.Item.Select(of)], then = [.. before.Answers.Item.Select(of)];
            double[] differences = [.. now.Zip(then, (a, b) => a - b)];
            return new PairedComparison(
                after.Protocol.Name, metric, now.Average(), then.Average(), Bootstrap.Interval(differences, seed),
                differences.Average(difference => difference == 0 ? 0.0 : 1));
        }
    }
}
