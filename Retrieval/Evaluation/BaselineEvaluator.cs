namespace Recsys.Retrieval.Evaluation;

/// <summary>Evaluates the baselines on the same users, targets and conventions as the model.</summary>
internal static class BaselineEvaluator
{
    private static readonly HashSet<int> Nothing = [];

    /// <summary>All baselines, counted on the training part, with what their validation targets chose.</summary>
    public static IReadOnlyList<IBaseline> Choose(LeaveOneOut split, int items) =>
        [new Popularity(split.Train, items), CoOccurrence.Choose(split, items), ItemKnn.Choose(split, items)];

    public static MetricRow Row(IBaseline baseline, LeaveOneOut split, int[] users, EvaluationOptions options, bool seenRemoved)
    {
        int k = options.Ks.Max();
        var ranks = new int[users.Length];
        Parallel.For(0, users.Length, i =>
        {
            var history = RetrievalEvaluator.History(split, users[i], options.Target);
            IReadOnlySet<int> removed = seenRemoved ? history.ToArray().ToHashSet() : Nothing;
            ranks[i] = Array.IndexOf(baseline.Rank(history, k, removed), RetrievalEvaluator.Target(split, users[i], options.Target));
        });
        return MetricRow.Of(ranks, options.Ks, options.Seed);
    }
}
