namespace Recsys.Cli.Demo.Shoppers;

/// <summary>The best possible score on simulated test targets.</summary>
/// <param name="Users">Shoppers with a test target.</param>
/// <param name="Ks">The cut-offs.</param>
/// <param name="Recall">[ks] share of targets among the K most probable stickers: of these very targets, by chance a little above or below
/// what is expected.</param>
/// <param name="Ndcg">[ks] mean of 1 / log2(rank + 1) of targets within the first K.</param>
/// <param name="ExpectedRecall">[ks] the same by the model's own probabilities. No recommender that sees the same histories has a higher
/// expectation.</param>
/// <param name="ExpectedNdcg">[ks]</param>
public sealed record OptimalScore(int Users, int[] Ks, double[] Recall, double[] Ndcg, double[] ExpectedRecall, double[] ExpectedNdcg)
{
    /// <summary>By name, as datasets keep them: <c>best_recall@10</c>, <c>best_ndcg@10</c>…</summary>
    public IReadOnlyDictionary<string, double> Figures()
    {
        var figures = new Dictionary<string, double>(StringComparer.Ordinal);
        for (int at = 0; at < Ks.Length; at++)
        {
            figures[$"best_recall@{Ks[at]}"] = Math.Round(Recall[at], 6);
            figures[$"best_ndcg@{Ks[at]}"] = Math.Round(Ndcg[at], 6);
        }

        return figures;
    }
}
