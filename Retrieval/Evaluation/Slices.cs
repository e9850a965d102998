namespace Recsys.Retrieval.Evaluation;

/// <summary>The users of one kind.</summary>
/// <param name="Name">Stable lower-case name.</param>
/// <param name="Meaning">Who they are, in words.</param>
/// <param name="Row">Metrics of these users alone; zeros where there are none.</param>
public sealed record Slice(string Name, string Meaning, int Users, MetricRow Row);

/// <summary>Metrics by kind of target and by kind of history.</summary>
public static class Slices
{
    public const string ColdShortName = "cold_shortlist";

    /// <summary>Largest lengths of a history, but of the last slice.</summary>
    private static readonly int[] Lengths = [3, 6, 12, 25];

    /// <summary>
    /// By how popular the target is: most popular items first, the head holds a third of the training interactions, the middle the next
    /// third, the tail the rest; a cold target has none.
    /// </summary>
    /// <param name="counts">[items] training interactions.</param>
    /// <param name="targets">[users]</param>
    /// <param name="ranks">[users] place of the target from 0, -1: missed.</param>
    public static IReadOnlyList<Slice> ByPopularity(int[] counts, int[] targets, int[] ranks, EvaluationOptions options)
    {
        long total = counts.Sum(count => (long)count), before = 0;
        var third = new int[counts.Length];
        foreach (int item in Enumerable.Range(0, counts.Length).OrderByDescending(item => counts[item]).ThenBy(item => item))
        {
            third[item] = counts[item] == 0 ? 3 : (int)(3 * before / total);
            before += counts[item];
        }

        string Meaning(int kind) => kind == 3
            ? "target never seen in training"
            : $"target among the {third.Count(of => of == kind)} {new[] { "most", "less", "least" }[kind]} popular items";
        return [.. new[] { "head", "middle", "tail", "cold" }.Select(
            (name, kind) => Of(name, Meaning(kind), ranks, user => third[targets[user]] == kind, options))];
    }

    /// <summary>By the length of the history: up to 3, 6, 12 and 25 interactions, and more.</summary>
    /// <param name="lengths">[users]</param>
    /// <param name="ranks">[users] place of the target from 0, -1: missed.</param>
    public static IReadOnlyList<Slice> ByHistory(int[] lengths, int[] ranks, EvaluationOptions options) =>
    [
        .. Enumerable.Range(0, Lengths.Length + 1).Select(at =>
        {
            int from = at == 0 ? 1 : Lengths[at - 1] + 1, to = at == Lengths.Length ? int.MaxValue : Lengths[at];
            string name = to == int.MaxValue ? $"{from}+" : $"{from}-{to}";
            return Of(name, $"history of {name} interactions", ranks, user => lengths[user] >= from && lengths[user] <= to, options);
        }),
    ];

    /// <summary>The users whose target is cold, in their short lists; null where there are none.</summary>
    /// <param name="counts">[items] training interactions.</param>
    /// <param name="targets">[users]</param>
    public static Slice? ColdShort(int[] counts, int[] targets, AnswerSet answers, EvaluationOptions options) => answers.Cold is null
        ? null
        : Of(
            ColdShortName, $"the cold ones once more, among the cold items and {ColdShortlist.Generated} generated ones, by content",
            answers.Cold, user => counts[targets[user]] == 0, options);

    private static Slice Of(string name, string meaning, int[] ranks, Func<int, bool> among, EvaluationOptions options)
    {
        int[] some = [.. ranks.Where((_, user) => among(user))];
        return new Slice(name, meaning, some.Length, MetricRow.Of(some, [options.Ks.Max()], options.Seed));
    }
}
