using System.Runtime.InteropServices;

namespace Recsys.Retrieval.Evaluation;

/// <summary>Evaluates each leg alone, on the same users, targets and conventions as their sum: full ranking of the catalogue.</summary>
internal static class LegEvaluator
{
    /// <returns>By the leg's name; the generative one, which scores what it decodes, is not among them.</returns>
    public static IEnumerable<(string Name, ConventionRows Rows)> Evaluate(
        Recommender recommender, LeaveOneOut split, int[] users, EvaluationOptions options, CancellationToken cancel)
    {
        foreach (var leg in recommender.FullLegs)
        {
            var (plain, removed) = (new int[users.Length], new int[users.Length]);
            for (int first = 0; first < users.Length; first += options.Batch)
            {
                cancel.ThrowIfCancellationRequested();
                int start = first;
                int[][] histories = [.. users.Skip(first).Take(options.Batch).Select(
                    user => RetrievalEvaluator.History(split, user, options.Target).ToArray())];
                using var scores = leg.Scores(histories); // [rows, items]
                int items = (int)scores.size(1);
                Parallel.For(0, histories.Length, row => (plain[start + row], removed[start + row]) = FullRanking.Rank(
                    MemoryMarshal.Cast<byte, float>(scores.bytes).Slice(row * items, items),
                    RetrievalEvaluator.Target(split, users[start + row], options.Target), histories[row]));
            }

            yield return (leg.Name, new ConventionRows(
                MetricRow.Of(plain, options.Ks, options.Seed),
                options.SeenRemoved ? MetricRow.Of(removed, options.Ks, options.Seed) : null));
        }
    }
}
