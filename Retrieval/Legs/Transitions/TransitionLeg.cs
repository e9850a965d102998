using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>
/// Ranks by counting (PCTM, arXiv 2608.19833): the score of an item is Σ_j w_j ln(1 + s · C(h_j, item)) + λ ln(1 + n(item)). C are the
/// training part's counts of what follows what, h_j the history's items, the newest first, w_j ∝ r^j times what the item counts, with
/// sum 1, and n(item) an item's interactions. Knows no vector; an item that came after training has what those that stand for it have,
/// but for their interactions, and what was seen to follow and to precede it since.
/// </summary>
public sealed class TransitionLeg : ILeg
{
    public const string LegName = "transitions";

    private readonly float[] _evidence; // [pairs]
    private readonly ImmutableDictionary<int, NewerRow> _rows; // items that something new followed

    public TransitionLeg(TransitionTable table, TransitionReading reading, int history)
    {
        (Table, Reading, History) = (table, reading, history);
        (_rows, Priors) = (ImmutableDictionary<int, NewerRow>.Empty, new TransitionPriors(table.Interactions, reading.Popularity));
        _evidence = Array.ConvertAll(table.Counts, Evidence);
    }

    private TransitionLeg(TransitionLeg before, ImmutableDictionary<int, NewerRow> rows, TransitionPriors priors)
    {
        (Table, Reading, History) = (before.Table, before.Reading, before.History);
        (_evidence, _rows, Priors) = (before._evidence, rows, priors);
    }

    public string Name => LegName;

    public TransitionTable Table { get; }

    public TransitionReading Reading { get; }

    internal TransitionPriors Priors { get; }

    /// <summary>Most recent items that are read.</summary>
    public int History { get; }

    /// <summary>The leg of a training part.</summary>
    /// <param name="held">Validation targets, which choose what the options leave open; null: there are none.</param>
    /// <param name="otherwise">What they leave open where there are none; null: the usual values.</param>
    /// <param name="standIns">For cold items; null: those have no evidence.</param>
    internal static TransitionLeg Train(
        SequenceSet training, int items, TransitionOptions options, HeldOut? held, CancellationToken cancel,
        TransitionReading? otherwise = null, StandIns? standIns = null)
    {
        var reading = held is null
            ? TransitionSearch.Given(options, otherwise ?? TransitionReading.Usual)
            : TransitionSearch.Choose(training, items, options, held, cancel);
        var table = TransitionSearch.Count(training, items, options, reading);
        return new TransitionLeg(standIns?.Fill(table) ?? table, reading, options.History);
    }

    /// <summary>
    /// The leg that has also seen new interactions: the counts are those of a training that had them, as long as no item has more followers
    /// than are kept. What did not change is shared, so it costs what the interactions are, not what the catalogue is.
    /// </summary>
    /// <param name="interactions">In their order, each with the items that its user touched before, oldest first.</param>
    public TransitionLeg With(IEnumerable<(IReadOnlyList<int> Before, int Item)> interactions)
    {
        var changed = new Dictionary<int, SortedDictionary<int, float>>();
        var touched = new List<int>();
        foreach (var (before, item) in interactions)
        {
            touched.Add(item);
            for (int distance = 1; distance <= Math.Min(Reading.Window, before.Count); distance++)
            {
                int from = before[^distance];
                if (from != item)
                {
                    if (!changed.TryGetValue(from, out var row))
                    {
                        changed[from] = row = RowOf(from);
                    }

                    row[item] = row.GetValueOrDefault(item) + (float)Math.Pow(distance, -Reading.DistancePower);
                }
            }
        }

        var rows = _rows.ToBuilder();
        foreach (var (item, row) in changed)
        {
            rows[item] = new NewerRow([.. row.Keys], [.. row.Values], [.. row.Values.Select(Evidence)]);
        }

        return new TransitionLeg(this, rows.ToImmutable(), Priors.With(touched));
    }

    /// <summary>Which items of a history speak for an item, most evidence first: their parts sum to its score but for its own popularity.
    /// What stands for an item of the history, or for the item, speaks in its name.</summary>
    /// <param name="weights">[history] how much each of its items counts; null: all alike.</param>
    /// <param name="fresh">Items that came after training; null: none.</param>
    public IReadOnlyList<TransitionReason> Reasons(
        IReadOnlyList<int> history, int item, IReadOnlyList<double>? weights = null, NewItems? fresh = null)
    {
        var reasons = new List<TransitionReason>();
        var standing = fresh?.Of(item);
        foreach (var (of, from, weight) in Weighted(history, weights, fresh))
        {
            if (of == item)
            {
                continue; // nothing speaks for itself
            }

            Add(of, from, item, weight);
            for (int i = 0; i < (standing?.Like.Length ?? 0); i++)
            {
                Add(of, from, standing!.Like[i], weight * standing.Weights[i]);
            }
        }

        return [.. reasons.GroupBy(reason => reason.Item)
            .Select(same => same.First() with { Part = same.Sum(reason => reason.Part) }).OrderByDescending(reason => reason.Part)];

        void Add(int of, int from, int to, double weight)
        {
            var row = Row(from);
            int at = row.Followers.BinarySearch(to);
            if (at >= 0)
            {
                reasons.Add(new TransitionReason(of, row.Counts[at], weight * row.Evidence[at]));
            }
        }
    }

    /// <summary>What was seen to follow an item, by item index, with its evidence.</summary>
    /// <param name="fresh">Items that came after training; null: none.</param>
    public IReadOnlyList<(int Item, double Evidence)> After(int item, NewItems? fresh = null)
    {
        var after = new SortedDictionary<int, double>();
        Add(item, 1);
        for (int i = 0; fresh?.Of(item) is { } standing && i < standing.Like.Length; i++)
        {
            Add(standing.Like[i], standing.Weights[i]);
        }

        return [.. after.Select(of => (of.Key, of.Value))];

        void Add(int from, double weight)
        {
            var row = Row(from);
            for (int pair = 0; pair < row.Followers.Length; pair++)
            {
                after[row.Followers[pair]] = after.GetValueOrDefault(row.Followers[pair]) + (weight * row.Evidence[pair]);
            }
        }
    }

    public Tensor Scores(
        IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh = null, IReadOnlyList<IReadOnlyList<double>?>? weights = null)
    {
        int items = Table.Items + (fresh?.Count ?? 0);
        var scores = zeros(histories.Count, items);
        for (int row = 0; row < histories.Count; row++)
        {
            var of = MemoryMarshal.Cast<byte, float>(scores.bytes).Slice(row * items, items);
            Priors.CopyTo(of);
            new TransitionScores(this, histories[row], weights?[row], fresh).CopyTo(of);
        }

        return scores;
    }

    ILegScores[] ILeg.Search(
        IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh, IReadOnlyList<IReadOnlyList<double>?>? weights) =>
        [.. histories.Select((history, row) => new TransitionScores(this, history, weights?[row], fresh))];

    /// <summary>Adds the evidence of a history to [items] scores.</summary>
    /// <param name="touched">Called with the items that evidence was added to, an item maybe more than once.</param>
    internal void Add(IReadOnlyList<int> history, Span<float> scores, Action<int> touched)
    {
        foreach (var (_, from, weight) in Weighted(history, null))
        {
            var row = Row(from);
            for (int pair = 0; pair < row.Followers.Length; pair++)
            {
                scores[row.Followers[pair]] += (float)weight * row.Evidence[pair];
                touched(row.Followers[pair]);
            }
        }
    }

    /// <summary>The items that are read, the newest first, with their weights, and beside fresh ones those that stand for them.</summary>
    /// <returns>The item of the history, and what is looked up for it.</returns>
    internal IEnumerable<(int Of, int Item, double Weight)> Weighted(
        IReadOnlyList<int> history, IReadOnlyList<double>? weights, NewItems? fresh = null)
    {
        int length = Math.Min(History, history.Count);
        double total = weights is not null
            ? Enumerable.Range(1, length).Sum(back => Math.Pow(Reading.Recency, back - 1) * weights[^back])
            : Reading.Recency == 1 ? length : (1 - Math.Pow(Reading.Recency, length)) / (1 - Reading.Recency);
        double recency = 1 / total;
        for (int back = 1; back <= length; back++, recency *= Reading.Recency)
        {
            double weight = recency * (weights?[^back] ?? 1);
            yield return (history[^back], history[^back], weight);
            if (fresh?.Of(history[^back]) is { } item)
            {
                for (int i = 0; i < item.Like.Length; i++)
                {
                    yield return (history[^back], item.Like[i], weight * item.Weights[i]);
                }
            }
        }
    }

    internal TransitionRow Row(int item)
    {
        if (_rows.TryGetValue(item, out var newer))
        {
            return new TransitionRow(newer.Followers, newer.Counts, newer.Evidence);
        }

        if (item >= Table.Items)
        {
            return default;
        }

        var (start, length) = ((int)Table.Starts[item], (int)(Table.Starts[item + 1] - Table.Starts[item]));
        return new TransitionRow(
            Table.Followers.AsSpan(start, length), Table.Counts.AsSpan(start, length), _evidence.AsSpan(start, length));
    }

    private SortedDictionary<int, float> RowOf(int item)
    {
        var known = Row(item);
        var row = new SortedDictionary<int, float>();
        for (int pair = 0; pair < known.Followers.Length; pair++)
        {
            row.Add(known.Followers[pair], known.Counts[pair]);
        }

        return row;
    }

    private float Evidence(float count) => (float)Math.Log(1 + (Reading.EvidenceScale * count));

    /// <summary>Writes what was trained: what <see cref="With"/> added is for the next training to learn.</summary>
    public void Save(string folder) => TransitionFiles.Save(this, folder);

    /// <inheritdoc cref="TransitionFiles.Load"/>
    public static TransitionLeg Load(string folder) => TransitionFiles.Load(folder);

    public void Dispose()
    {
    }
}
