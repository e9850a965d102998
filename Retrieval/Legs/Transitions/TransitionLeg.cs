namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>
/// Ranks by counting (PCTM, arXiv 2608.19833): the score of an item is Σ_j w_j ln(1 + s · C(h_j, item)) + λ ln(1 + n(item)). C are the
/// training part's counts of what follows what, h_j the history's items, the newest first, w_j ∝ r^j with sum 1, and n(item) an item's
/// interactions. Knows no vector; an item appended later has a score of 0.
/// </summary>
public sealed class TransitionLeg : ILeg
{
    public const string LegName = "transitions";

    private const string StartsKey = "starts", FollowersKey = "followers", CountsKey = "counts", InteractionsKey = "interactions";

    private readonly float[] _evidence; // [pairs]
    private readonly float[] _prior; // [items]

    public TransitionLeg(TransitionTable table, TransitionReading reading, int history)
    {
        (Table, Reading, History) = (table, reading, history);
        _evidence = Array.ConvertAll(table.Counts, count => (float)Math.Log(1 + (reading.EvidenceScale * count)));
        _prior = Array.ConvertAll(table.Interactions, n => (float)(reading.Popularity * Math.Log(1 + n)));
    }

    public string Name => LegName;

    public TransitionTable Table { get; }

    public TransitionReading Reading { get; }

    /// <summary>Most recent items that are read.</summary>
    public int History { get; }

    /// <summary>The leg of a training part.</summary>
    /// <param name="held">Validation targets, which choose what the options leave open; null: there are none.</param>
    /// <param name="otherwise">What they leave open where there are none; null: the usual values.</param>
    public static TransitionLeg Train(
        SequenceSet training, int items, TransitionOptions options, HeldOut? held, CancellationToken cancel,
        TransitionReading? otherwise = null)
    {
        var reading = held is null
            ? TransitionSearch.Given(options, otherwise ?? TransitionReading.Usual)
            : TransitionSearch.Choose(training, items, options, held, cancel);
        return new TransitionLeg(TransitionSearch.Count(training, items, options, reading), reading, options.History);
    }

    public Tensor Scores(IReadOnlyList<IReadOnlyList<int>> histories)
    {
        int items = Table.Items;
        var scores = new float[(long)histories.Count * items];
        Parallel.For(0, histories.Count, row => Add(histories[row], scores.AsSpan(row * items, items), withPrior: true));
        return tensor(scores, [histories.Count, items]);
    }

    /// <summary>Adds the evidence of a history to [items] scores.</summary>
    /// <param name="touched">Called with the items that evidence was added to, an item maybe more than once.</param>
    internal void Add(IReadOnlyList<int> history, Span<float> scores, bool withPrior, Action<int>? touched = null)
    {
        if (withPrior)
        {
            _prior.CopyTo(scores);
        }

        int length = Math.Min(History, history.Count);
        double total = Reading.Recency == 1 ? length : (1 - Math.Pow(Reading.Recency, length)) / (1 - Reading.Recency);
        double weight = 1 / total;
        for (int back = 1; back <= length; back++, weight *= Reading.Recency)
        {
            int item = history[^back];
            if (item >= Table.Items)
            {
                continue; // appended later: nothing is known to follow it
            }

            for (long pair = Table.Starts[item]; pair < Table.Starts[item + 1]; pair++)
            {
                int follower = Table.Followers[pair];
                scores[follower] += (float)weight * _evidence[pair];
                touched?.Invoke(follower);
            }
        }
    }

    public float Prior(int item) => _prior[item];

    public void Save(string folder) => ModelFiles.Save(
        folder, new TransitionConfig(TransitionConfig.CurrentFormat, Reading, History),
        new Dictionary<string, Tensor>
        {
            [StartsKey] = tensor(Table.Starts), [FollowersKey] = tensor(Table.Followers), [CountsKey] = tensor(Table.Counts),
            [InteractionsKey] = tensor(Table.Interactions),
        },
        Json.Files);

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static TransitionLeg Load(string folder) => ModelFiles.Load<TransitionConfig, TransitionLeg>(
        folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) =>
        {
            var starts = state.Take(StartsKey, ScalarType.Int64, -1).data<long>().ToArray();
            var followers = state.Take(FollowersKey, ScalarType.Int32, -1).data<int>().ToArray();
            var counts = state.Take(CountsKey, ScalarType.Float32, followers.Length).data<float>().ToArray();
            var interactions = state.Take(InteractionsKey, ScalarType.Int32, starts.Length - 1).data<int>().ToArray();
            if (starts.Length < 2 || starts[0] != 0 || starts[^1] != followers.Length
                || starts.Zip(starts.Skip(1)).Any(pair => pair.First > pair.Second)
                || followers.Any(follower => (uint)follower >= (uint)interactions.Length))
            {
                throw new TorchException("the rows of transitions do not fit together.");
            }

            return new TransitionLeg(new TransitionTable(starts, followers, counts, interactions), config.Reading, config.History);
        });

    public void Dispose()
    {
    }
}

/// <summary>Everything but the tensors that a saved leg needs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="History">Most recent items that are read.</param>
public sealed record TransitionConfig(int Format, TransitionReading Reading, int History)
{
    public const int CurrentFormat = 1;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        faults.Range("history", History, 1, 512);
        faults.Range("reading.recency", Reading.Recency, 1e-6, 1);
        faults.Range("reading.evidence_scale", Reading.EvidenceScale, 1e-6, 1000);
    }
}
