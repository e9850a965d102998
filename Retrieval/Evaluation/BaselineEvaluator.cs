namespace Recsys.Retrieval.Evaluation;

/// <summary>Evaluates the baselines on the same users, targets and conventions as the model.</summary>
public static class BaselineEvaluator
{
    private static readonly HashSet<int> Nothing = [];

    /// <returns>By baseline name.</returns>
    public static Dictionary<string, ConventionRows> Evaluate(LeaveOneOut split, int[] users, int items, EvaluationOptions options)
    {
        IBaseline[] baselines = [new Popularity(split.Train, items), CoOccurrence.Choose(split, items)];
        return baselines.ToDictionary(baseline => baseline.Name, baseline => new ConventionRows(
            Row(baseline, split, users, options, seenRemoved: false),
            options.SeenRemoved ? Row(baseline, split, users, options, seenRemoved: true) : null));
    }

    internal static MetricRow Row(IBaseline baseline, LeaveOneOut split, int[] users, EvaluationOptions options, bool seenRemoved)
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
