using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Training;

/// <summary>Chooses the hybrid's α by NDCG@10 on validation targets; test targets are not within its reach.</summary>
internal static class AlphaSearch
{
    private const int MaxUsers = 3000;
    private const int Batch = 128;

    private static readonly double[] Grid = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

    /// <returns>The model with its α; takes over the weights of <paramref name="model"/>.</returns>
    public static RetrievalModel Choose(RetrievalModel model, RetrievalTrainingData data, long seed, CancellationToken cancel)
    {
        var users = Enumerable.Range(0, data.Training.Count)
            .Where(user => data.ValidationTargets![user] >= 0 && data.Training[user].Length > 0).ToArray();
        if (users.Length == 0)
        {
            return model;
        }

        new Random(Seeds.ToInt32(seed)).Shuffle(users);
        users = [.. users.Take(MaxUsers).OrderBy(user => data.Training[user].Length).ThenBy(user => user)];
        var gains = new double[Grid.Length];
        using var recommender = Recommender.Borrowing(model, data.Items);
        foreach (var batch in users.Chunk(Batch))
        {
            cancel.ThrowIfCancellationRequested();
            var parts = recommender.HybridParts([.. batch.Select(user => new RecommendQuery(data.Training[user].ToArray(), 10))]);
            for (int row = 0; row < batch.Length; row++)
            {
                int target = data.ValidationTargets![batch[row]];
                for (int i = 0; i < Grid.Length; i++)
                {
                    var ranked = parts[row].OrderByDescending(part => (Grid[i] * part.Generative) + ((1 - Grid[i]) * part.Dense))
                        .Take(10).Select(part => part.Item).ToArray();
                    gains[i] += RankingMetrics.Ndcg(Array.IndexOf(ranked, target), 10);
                }
            }
        }

        return model.WithAlpha(Grid[Array.IndexOf(gains, gains.Max())]);
    }
}
