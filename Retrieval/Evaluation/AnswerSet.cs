namespace Recsys.Retrieval.Evaluation;

/// <summary>Answers to all users under one convention, and where their targets stand in them: everything that is measured comes from
/// here.</summary>
/// <param name="Users">[users] who they are, as indexes into the split.</param>
public sealed record AnswerSet(int[] Users)
{
    /// <summary>[users] place of the target from 0, -1: not among the answers.</summary>
    public int[] Item { get; init; } = new int[Users.Length];

    /// <summary>[users] the same, where any item of the target's codes is a hit.</summary>
    public int[] Codes { get; init; } = new int[Users.Length];

    /// <summary>[users] the same, in what the generative leg's beam finds alone, repeated items weighed as the leg alone weighs
    /// them.</summary>
    public int[] Beam { get; init; } = new int[Users.Length];

    /// <summary>[users] place of a cold target in its short list (<see cref="ColdShortlist"/>), -1 for every other target; null: nobody
    /// asked, or nothing is cold.</summary>
    public int[]? Cold { get; init; }

    /// <summary>[users][answers] items, best first.</summary>
    public int[][] Lists { get; init; } = new int[Users.Length][];

    /// <summary>[users][answers] how likely each is the next item, as the model says.</summary>
    public double[][] Probabilities { get; init; } = new double[Users.Length][];

    /// <summary>By leg but the generative one, [users] place of the target in the leg's own ranking of the catalogue, under both
    /// conventions, repeated items weighed as the leg alone weighs them; empty where nobody asked.</summary>
    public IReadOnlyDictionary<string, (int[] Plain, int[] SeenRemoved)> Legs { get; init; } =
        new Dictionary<string, (int[], int[])>();

    /// <summary>Asks once for every user: lists, the legs' own rankings and the counts of what must not be are taken from one
    /// answer.</summary>
    /// <param name="excludes">[ways] whether items of the history are left out.</param>
    /// <returns>[ways]; the legs' own rankings, which are of both conventions, are in the first.</returns>
    internal static AnswerSet[] Of(
        Recommender recommender, LeaveOneOut split, int[] users, EvaluationOptions options, IReadOnlyList<bool> excludes,
        AnswerCounts counts, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        string[] legs = options.Legs ? [.. recommender.FullLegs.Select(leg => leg.Name)] : [];
        var ranks = legs.ToDictionary(leg => leg, _ => (new int[users.Length], new int[users.Length]));
        var cold = recommender.Cold;
        var coldItems = cold.Items.ToHashSet();
        bool shortlists = legs.Length > 0 && cold.Leg >= 0;
        int[]? Missed() => shortlists ? [.. users.Select(_ => -1)] : null;
        AnswerSet[] sets = [.. excludes.Select((_, way) =>
            way == 0 ? new AnswerSet(users) { Legs = ranks, Cold = Missed() } : new AnswerSet(users) { Cold = Missed() })];
        float[] repeats = [.. recommender.LegNames.Select(recommender.RepeatAlone)];
        int k = options.Ks.Max(), done = 0;
        var gate = new Lock();
        ComputeThreads.Each((users.Length + options.Batch - 1) / options.Batch, at =>
        {
            int first = at * options.Batch;
            var batch = users.AsSpan(first, Math.Min(options.Batch, users.Length - first)).ToArray();
            int[][] histories = [.. batch.Select(user => RetrievalEvaluator.History(split, user, options.Target).ToArray())];
            int[] targets = [.. batch.Select(user => RetrievalEvaluator.Target(split, user, options.Target))];
            RecommendQuery[] queries = [.. batch.Zip(
                histories, (user, history) => new RecommendQuery(history, k, options.Beam, User: split.Train.Users[user]))];
            var byContent = new float[]?[batch.Length]; // of all items, where the target is cold
            recommender.Answer(queries, excludes, (way, i, answer, beam) =>
            {
                int available = recommender.Items.Count - (excludes[way] ? histories[i].Distinct().Count() : 0);
                lock (gate)
                {
                    counts.Check(answer, Math.Min(k, available));
                }

                var (set, place, target) = (sets[way], first + i, recommender.Items.SemanticIds[targets[i]]);
                set.Item[place] = Array.FindIndex(answer, item => item.Item == targets[i]);
                set.Codes[place] = Array.FindIndex(answer, item => item.Id.SameCodes(target));
                set.Lists[place] = Array.ConvertAll(answer, item => item.Item);
                set.Probabilities[place] = Array.ConvertAll(answer, item => item.Probability);
                var seen = histories[i].ToHashSet();
                int found = Array.IndexOf(
                    [.. beam.OrderByDescending(item => item.LogProbability + (seen.Contains(item.Item) ? repeats[^1] : 0))
                        .Select(item => item.Item)], targets[i]);
                set.Beam[place] = found < k ? found : -1;
                if (byContent[i] is { } scores)
                {
                    set.Cold![place] = ColdShortlist.Place(
                        scores, cold.Items, [.. beam.Select(item => item.Item)], targets[i], excludes[way] ? seen : []);
                }
            }, cancel, legs.Length == 0 ? null : (i, leg, scores) =>
            {
                var (plain, removed) = ranks[legs[leg]];
                (plain[first + i], removed[first + i]) = FullRanking.Rank(scores, targets[i], histories[i], repeats[leg]);
                if (shortlists && leg == cold.Leg && coldItems.Contains(targets[i]))
                {
                    byContent[i] = scores.ToArray();
                }
            });
            lock (gate)
            {
                done += batch.Length;
                progress?.Report(new StageProgress("evaluate", done, users.Length));
            }
        }, cancel);
        return sets;
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
