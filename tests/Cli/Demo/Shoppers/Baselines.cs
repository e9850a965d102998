using Recsys.Catalog;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Tests.Demo.Shoppers;

/// <summary>Recommenders that only count, on the training part: Recall@5 and @10 of the simulated test targets,
/// seen stickers left out.</summary>
internal static class Baselines
{
    private static readonly LeaveOneOut Split = new(Stickers.Shopping.Sequences);

    private static readonly Lazy<double[][]> LazyAll = new(() => [Popularity(), NextSticker(), CoOccurrence()]);

    /// <summary>[popularity, next sticker, co-occurrence][R@5, R@10]</summary>
    public static double[][] All => LazyAll.Value;

    private static double[] Popularity() => Recall((_, scores) => { });

    private static double[] NextSticker()
    {
        var next = new Dictionary<(int, int), double>();
        for (int user = 0; user < Split.Train.Count; user++)
        {
            var items = Split.Train[user];
            for (int at = 1; at < items.Length; at++)
            {
                next[(items[at - 1], items[at])] = next.GetValueOrDefault((items[at - 1], items[at])) + 1;
            }
        }

        var byFirst = next.ToLookup(pair => pair.Key.Item1, pair => (pair.Key.Item2, pair.Value));
        return Recall((history, scores) =>
        {
            foreach (var (item, count) in byFirst[history[^1]])
            {
                scores[item] += count;
            }
        });
    }

    private static double[] CoOccurrence()
    {
        var near = new Dictionary<(int, int), double>();
        var count = new double[Stickers.Items.Count];
        for (int user = 0; user < Split.Train.Count; user++)
        {
            var items = Split.Train[user];
            for (int at = 0; at < items.Length; at++)
            {
                count[items[at]]++;
                for (int other = Math.Max(0, at - 5); other < Math.Min(items.Length, at + 6); other++)
                {
                    if (other != at)
                    {
                        near[(items[at], items[other])] = near.GetValueOrDefault((items[at], items[other])) + (1.0 / Math.Abs(at - other));
                    }
                }
            }
        }

        var byFirst = near.ToLookup(pair => pair.Key.Item1, pair => (pair.Key.Item2, pair.Value));
        return Recall((history, scores) =>
        {
            double recency = 1;
            for (int at = history.Length - 1; at >= 0; at--, recency *= 0.8)
            {
                foreach (var (item, weight) in byFirst[history[at]])
                {
                    scores[item] += weight * recency / Math.Sqrt(count[item] + 1);
                }
            }
        });
    }

    private static double[] Recall(Action<int[], double[]> score)
    {
        var popularity = new double[Stickers.Items.Count];
        foreach (int item in Split.Train.Items)
        {
            popularity[item] += 1e-6; // breaks ties of the others
        }

        var hits = new double[2];
        var scores = new double[popularity.Length];
        foreach (int user in Split.EvaluatedUsers)
        {
            popularity.CopyTo(scores, 0);
            var history = Split.TestHistory(user).ToArray();
            score(history, scores);
            foreach (int item in history)
            {
                scores[item] = -1;
            }

            int target = Split.TestTarget(user), better = 0;
            for (int item = 0; item < scores.Length; item++)
            {
                better += scores[item] > scores[target] || (scores[item] == scores[target] && item < target) ? 1 : 0;
            }

            hits[0] += better < 5 ? 1 : 0;
            hits[1] += better < 10 ? 1 : 0;
        }

        return [hits[0] / Split.EvaluatedUsers.Length, hits[1] / Split.EvaluatedUsers.Length];
    }
}
