using Recsys.Retrieval.Legs;

namespace Recsys.Retrieval.Training;

/// <summary>Everything about one step that is drawn.</summary>
/// <param name="Hidden">[slots] whether the vector of the item before is hidden; null: none is.</param>
/// <param name="MaskSeeds">One for each dropout mask.</param>
internal sealed record StepPlan(PackedBatch Batch, bool[]? Hidden, long[] MaskSeeds)
{
    /// <summary>Targets of the whole batch, whatever this share of it has: what losses are divided by.</summary>
    public int Targets { get; } = Batch.Items.Count(item => item >= 0);

    /// <summary>Those among them with an item before.</summary>
    public int Followers { get; } = Batch.Previous.Count(item => item >= 0);

    /// <summary>Place of the first slot in the whole batch.</summary>
    public int FirstSlot { get; private init; }

    /// <summary>The windows of one rank, always in as many slots.</summary>
    /// <param name="window">Items of the longest window.</param>
    public StepPlan Share(Ranks ranks, int window)
    {
        if (ranks.Size == 1)
        {
            return this;
        }

        int slots = Batch.Items.Length, length = (slots / ranks.Size) + window;
        var (from, count) = ranks.Share(slots);
        int first = Batch.Starts.First(start => start >= from), end = Batch.Starts.First(start => start >= from + count);
        return this with
        {
            Batch = Batch.Part(first, end, length),
            Hidden = Hidden is null ? null : [.. Hidden[first..end], .. Enumerable.Repeat(true, length - (end - first))],
            FirstSlot = first,
        };
    }
}

/// <summary>What is drawn for each step, beside its windows.</summary>
/// <param name="Masks">Dropout masks.</param>
/// <param name="Hidden">Share of the items before a target that are hidden from it; 0: none.</param>
internal sealed record StepDraws(int Masks, double Hidden = 0);

/// <summary>The steps of one training, in order, from one random stream: drawing n of them and throwing them away goes to step n.</summary>
/// <param name="slots">Items of a batch.</param>
internal sealed class StepPlans(SequenceSet training, LegOptions options, StepDraws draws, int slots, Random random) : IDisposable
{
    private IEnumerator<PackedBatch>? _batches;

    public StepPlan Next()
    {
        var batch = NextBatch();
        var hides = draws.Hidden > 0 ? Array.ConvertAll(batch.Previous, item => item < 0 || random.NextDouble() < draws.Hidden) : null;
        return new StepPlan(batch, hides, [.. Enumerable.Range(0, draws.Masks).Select(_ => random.NextInt64())]);
    }

    public void Dispose() => _batches?.Dispose();

    private PackedBatch NextBatch()
    {
        _batches ??= PackedBatch.Pack(training, Windows(), slots).GetEnumerator();
        _batches.MoveNext();
        return _batches.Current;
    }

    private IEnumerable<TrainingWindow> Windows()
    {
        while (true)
        {
            foreach (var window in TrainingWindows.OfEpoch(training, options.History + 1, random))
            {
                yield return window;
            }
        }
    }
}
