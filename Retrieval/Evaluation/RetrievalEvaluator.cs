using Recsys.Retrieval.Legs.Generative;

namespace Recsys.Retrieval.Evaluation;

/// <summary>
/// Full ranking over the catalogue for each evaluated user (leave-one-out). Validity and distinctness of the answers are counted on the
/// answers themselves, not taken from the search's word.
/// </summary>
public static class RetrievalEvaluator
{
    /// <exception cref="CatalogException">Options out of range, or a split that holds no target.</exception>
    public static EvaluationReport Evaluate(
        Recommender recommender, LeaveOneOut split, EvaluationOptions? options = null, IProgress<StageProgress>? progress = null,
        CancellationToken cancel = default)
    {
        options ??= new();
        options.Validate();
        var users = Users(split, options);
        var counts = new AnswerCounts(recommender.Items);
        var plain = Ranks(recommender, split, users, options, excludeSeen: false, counts, progress, cancel);
        var removed = options.SeenRemoved
            ? Ranks(recommender, split, users, options, excludeSeen: true, counts, progress, cancel)
            : null;
        MetricRow Row(int[] ranks) => MetricRow.Of(ranks, options.Ks, options.Seed);
        ConventionRows Rows(int[] ranks, int[]? ofRemoved) => new(Row(ranks), ofRemoved is null ? null : Row(ofRemoved));

        return new EvaluationReport
        {
            Target = options.Target,
            Users = users.Length,
            Seed = options.Seed,
            Beam = recommender.BeamFor(options.Ks.Max(), options.Beam),
            SplitSha256 = split.Sha256,
            EvaluatedUsers = users,
            Ranks = plain.Item,
            ItemLevel = Rows(plain.Item, removed?.Item),
            CodeLevel = Rows(plain.Codes, removed?.Codes),
            Invalid = counts.Invalid,
            Duplicates = counts.Duplicates,
            Short = counts.Short,
            Legs = options.Legs
                ? LegEvaluator.Evaluate(recommender, split, users, options, cancel)
                    .Concat(recommender.LegNames.Contains(GenerativeLeg.LegName)
                        ? [(GenerativeLeg.LegName, Rows(plain.Beam, removed?.Beam))]
                        : [])
                    .ToDictionary()
                : new Dictionary<string, ConventionRows>(),
            Baselines = options.Baselines
                ? BaselineEvaluator.Evaluate(split, users, recommender.Items.Count, options)
                : new Dictionary<string, ConventionRows>(),
        };
    }

    /// <summary>
    /// The sum, each leg and popularity of a model that has learned from the validation targets too, on test targets with the history's
    /// items removed: the open protocol (PCTM, EnsRec).
    /// </summary>
    /// <exception cref="CatalogException">Options out of range, or a split that holds no target.</exception>
    public static IReadOnlyDictionary<string, MetricRow> EvaluateOpen(
        Recommender recommender, LeaveOneOut split, EvaluationOptions options, IProgress<StageProgress>? progress = null,
        CancellationToken cancel = default)
    {
        options = options with { Target = EvaluationTarget.Test, SeenRemoved = true };
        options.Validate();
        var users = Users(split, options);
        var ranks = Ranks(recommender, split, users, options, excludeSeen: true, new AnswerCounts(recommender.Items), progress, cancel);
        MetricRow Row(int[] of) => MetricRow.Of(of, options.Ks, options.Seed);
        var rows = new Dictionary<string, MetricRow> { [EvaluationReport.SumName] = Row(ranks.Item) };
        foreach (var (name, leg) in LegEvaluator.Evaluate(recommender, split, users, options, cancel))
        {
            rows[name] = leg.SeenRemoved!;
        }

        if (recommender.LegNames.Contains(GenerativeLeg.LegName))
        {
            rows[GenerativeLeg.LegName] = Row(ranks.Beam);
        }

        var popularity = new Popularity(split.TrainAndValidation, recommender.Items.Count);
        rows[popularity.Name] = BaselineEvaluator.Row(popularity, split, users, options, seenRemoved: true);
        return rows;
    }

    /// <summary>What is known when the target is asked for.</summary>
    internal static ReadOnlySpan<int> History(LeaveOneOut split, int user, EvaluationTarget target) =>
        target == EvaluationTarget.Test ? split.TestHistory(user) : split.ValidationHistory(user);

    internal static int Target(LeaveOneOut split, int user, EvaluationTarget target) =>
        target == EvaluationTarget.Test ? split.TestTarget(user) : split.ValidationTarget(user);

    private static int[] Users(LeaveOneOut split, EvaluationOptions options)
    {
        var users = split.EvaluatedUsers.ToArray();
        if (users.Length == 0)
        {
            throw CatalogException.Invalid(
                "No user has three interactions, so there is no target to evaluate on. Import longer histories.");
        }

        if (options.Users > 0 && options.Users < users.Length)
        {
            new Random(Seeds.ToInt32(options.Seed)).Shuffle(users);
            users = users[..options.Users];
        }

        // Histories of like length share a batch, so that little of it is padding.
        return [.. users.OrderBy(user => History(split, user, options.Target).Length).ThenBy(user => user)];
    }

    /// <summary>[users] places of the targets from 0, -1: missed.</summary>
    /// <param name="Item">In the answers.</param>
    /// <param name="Codes">In the answers, where any item of the target's codes is a hit.</param>
    /// <param name="Beam">In what the generative leg finds alone.</param>
    private sealed record TargetRanks(int[] Item, int[] Codes, int[] Beam);

    private static TargetRanks Ranks(
        Recommender recommender, LeaveOneOut split, int[] users, EvaluationOptions options, bool excludeSeen, AnswerCounts counts,
        IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        var ranks = new TargetRanks(new int[users.Length], new int[users.Length], new int[users.Length]);
        int k = options.Ks.Max();
        int done = 0;
        var gate = new Lock();
        ComputeThreads.Each((users.Length + options.Batch - 1) / options.Batch, at =>
        {
            int first = at * options.Batch;
            var batch = users.AsSpan(first, Math.Min(options.Batch, users.Length - first)).ToArray();
            var queries = batch.Select(
                user => new RecommendQuery(History(split, user, options.Target).ToArray(), k, options.Beam, excludeSeen)).ToArray();
            recommender.Answer(queries, (i, answer, beam) =>
            {
                int target = Target(split, batch[i], options.Target);
                int available = recommender.Items.Count - (excludeSeen ? queries[i].History.Distinct().Count() : 0);
                lock (gate)
                {
                    counts.Check(answer, Math.Min(k, available));
                }

                ranks.Item[first + i] = Find(answer, item => item.Item == target);
                var targetId = recommender.Items.SemanticIds[target];
                ranks.Codes[first + i] = Find(answer, item => item.Id.SameCodes(targetId));
                int found = Array.IndexOf(beam, target);
                ranks.Beam[first + i] = found < k ? found : -1;
            }, cancel);
            lock (gate)
            {
                done += batch.Length;
                progress?.Report(new StageProgress("evaluate", done, users.Length, excludeSeen ? "seen removed" : "nothing removed"));
            }
        }, cancel);
        return ranks;
    }

    private static int Find(IReadOnlyList<Recommendation> answers, Func<Recommendation, bool> hit)
    {
        for (int rank = 0; rank < answers.Count; rank++)
        {
            if (hit(answers[rank]))
            {
                return rank;
            }
        }

        return -1;
    }
}

/// <summary>Counts answers that must not be.</summary>
public sealed class AnswerCounts(ItemTable items)
{
    public int Invalid { get; private set; }

    public int Duplicates { get; private set; }

    public int Short { get; private set; }

    /// <param name="expected">Answers that the catalogue can give.</param>
    public void Check(IReadOnlyList<Recommendation> answers, int expected)
    {
        Invalid += answers.Count(
            answer => !items.TryIndex(answer.Id, out int item) || item != answer.Item || !double.IsFinite(answer.Score));
        Duplicates += answers.Count - answers.Select(answer => answer.Item).Distinct().Count();
        Short += answers.Count < expected ? 1 : 0;
    }
}
