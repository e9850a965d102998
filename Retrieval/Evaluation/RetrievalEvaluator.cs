using Recsys.Retrieval.Legs.Generative;

namespace Recsys.Retrieval.Evaluation;

/// <summary>
/// Full ranking over the catalogue for each evaluated user (leave-one-out). Validity and distinctness of the answers are counted on the
/// answers themselves, not taken from the search's word.
/// </summary>
public static class RetrievalEvaluator
{
    /// <summary>A model that has not learned from the validation targets: the strict protocols.</summary>
    /// <exception cref="CatalogException">Options out of range, or a split that holds no target.</exception>
    public static EvaluationReport Evaluate(
        Recommender recommender, LeaveOneOut split, EvaluationOptions? options = null, IProgress<StageProgress>? progress = null,
        CancellationToken cancel = default)
    {
        options ??= new();
        options.Validate();
        var users = Users(split, options);
        var counts = new AnswerCounts(recommender.Items);
        bool[] ways = options.SeenRemoved ? [false, true] : [false];
        var answers = AnswerSet.Of(recommender, split, users, options, ways, counts, progress, cancel);
        var (plain, removed) = (answers[0], answers.ElementAtOrDefault(1));
        MetricRow Row(int[] ranks) => MetricRow.Of(ranks, options.Ks, options.Seed);
        ConventionRows Rows(int[] ranks, int[]? ofRemoved) => new(Row(ranks), ofRemoved is null ? null : Row(ofRemoved));
        var baselines = options.Baselines ? BaselineEvaluator.Choose(split, recommender.Items.Count) : [];
        MetricRow Baseline(IBaseline baseline, bool seenRemoved) => BaselineEvaluator.Row(baseline, split, users, options, seenRemoved);

        return new EvaluationReport
        {
            Target = options.Target,
            Users = users.Length,
            Seed = options.Seed,
            Beam = recommender.BeamFor(options.Ks.Max(), options.Beam),
            Sum = recommender.Choices.Sum,
            SplitSha256 = split.Sha256,
            Plain = plain,
            Removed = removed,
            ItemLevel = Rows(plain.Item, removed?.Item),
            CodeLevel = Rows(plain.Codes, removed?.Codes),
            Decoder = options.Exhaustive is { } asked && recommender.LegNames.Contains(GenerativeLeg.LegName)
                ? DecoderCheck.Of(recommender, split, options, asked, progress, cancel)
                : null,
            Invalid = counts.Invalid,
            Duplicates = counts.Duplicates,
            Short = counts.Short,
            Legs = Alone(recommender, options, plain, removed)
                .ToDictionary(leg => leg.Name, leg => Rows(leg.Plain, removed is null ? null : leg.SeenRemoved)),
            Chosen = baselines,
            Baselines = baselines.ToDictionary(baseline => baseline.Name, baseline => new ConventionRows(
                Baseline(baseline, seenRemoved: false), options.SeenRemoved ? Baseline(baseline, seenRemoved: true) : null)),
        };
    }

    /// <summary>
    /// A model that has learned from the validation targets too, on test targets: the open protocol. Its baselines count them too.
    /// </summary>
    /// <param name="chosen">Baselines as chosen without it (<see cref="EvaluationReport.Chosen"/>).</param>
    /// <exception cref="CatalogException">Options out of range, or a split that holds no target.</exception>
    public static ProtocolResult EvaluateOpen(
        Recommender recommender, LeaveOneOut split, EvaluationOptions options, IReadOnlyList<IBaseline> chosen,
        IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        options = options with { Target = EvaluationTarget.Test, SeenRemoved = true };
        options.Validate();
        var users = Users(split, options);
        var answers = AnswerSet.Of(
            recommender, split, users, options, [true], new AnswerCounts(recommender.Items), progress, cancel)[0];
        var training = split.TrainAndValidation;
        var rows = new Dictionary<string, MetricRow> { [EvaluationReport.SumName] = MetricRow.Of(answers.Item, options.Ks, options.Seed) };
        foreach (var leg in Alone(recommender, options, answers, answers))
        {
            rows[leg.Name] = MetricRow.Of(leg.SeenRemoved, options.Ks, options.Seed);
        }

        foreach (var baseline in chosen)
        {
            rows[baseline.Name] = BaselineEvaluator.Row(baseline.On(training), split, users, options, seenRemoved: true);
        }

        return new ProtocolResult(Protocol.Open, rows, answers);
    }

    /// <summary>What is known when the target is asked for.</summary>
    internal static ReadOnlySpan<int> History(LeaveOneOut split, int user, EvaluationTarget target) =>
        target == EvaluationTarget.Test ? split.TestHistory(user) : split.ValidationHistory(user);

    internal static int Target(LeaveOneOut split, int user, EvaluationTarget target) =>
        target == EvaluationTarget.Test ? split.TestTarget(user) : split.ValidationTarget(user);

    /// <summary>[users] places of the targets in each leg's own answers; a beam finds others where it may not find all.</summary>
    private static IEnumerable<(string Name, int[] Plain, int[] SeenRemoved)> Alone(
        Recommender recommender, EvaluationOptions options, AnswerSet plain, AnswerSet? removed) =>
        plain.Legs.Select(leg => (leg.Key, leg.Value.Plain, leg.Value.SeenRemoved)).Concat(
            options.Legs && recommender.LegNames.Contains(GenerativeLeg.LegName)
                ? [(GenerativeLeg.LegName, plain.Beam, removed?.Beam ?? [])]
                : []);

    internal static int[] Users(LeaveOneOut split, EvaluationOptions options)
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
}
