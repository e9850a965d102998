using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Training;

/// <summary>Everything about one step that is drawn.</summary>
/// <param name="Hidden">[slots] whether the dense vector of the item before is hidden; null: no dense inputs.</param>
/// <param name="MaskSeeds">One for each dropout mask; null: no dropout.</param>
/// <param name="Dense">Slots that the dense head learns from; null: no dense head.</param>
internal sealed record StepPlan(PackedBatch Batch, bool[]? Hidden, long[]? MaskSeeds, int[]? Dense)
{
    /// <summary>Targets of the whole batch, whatever this share of it has: what losses are divided by.</summary>
    public int Targets { get; } = Batch.Items.Count(item => item >= 0);

    /// <summary>Of the dense head alike.</summary>
    public int DenseTargets { get; } = Dense?.Length ?? 0;

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
            Dense = Dense is null ? null : [.. Dense.Where(slot => slot >= first && slot < end).Select(slot => slot - first)],
            FirstSlot = first,
        };
    }
}

/// <summary>The steps of one training, in order, from one random stream: drawing n of them and throwing them away goes to step n.</summary>
/// <param name="slots">Items of a batch.</param>
/// <param name="items">Items of the catalogue.</param>
internal sealed class StepPlans(SequenceSet training, RetrievalOptions options, int slots, int items, Random random) : IDisposable
{
    /// <summary>Cells of the dense head's [targets, items] matrix; beyond, a step takes fewer targets.</summary>
    private const int MaxSoftmaxCells = 1 << 26;

    private IEnumerator<PackedBatch>? _batches;

    public StepPlan Next()
    {
        var batch = NextBatch();
        var hidden = options.DenseInputs
            ? Array.ConvertAll(batch.Previous, item => item < 0 || random.NextDouble() < options.DenseDropout)
            : null;
        var seeds = options.Dropout > 0
            ? Enumerable.Range(0, DropoutSeeds.Count(options.Layers)).Select(_ => random.NextInt64()).ToArray()
            : null;
        return new StepPlan(batch, hidden, seeds, options.DenseLoss > 0 ? DenseTargets(batch) : null);
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

    /// <summary>A random share of the positions is enough, and the softmax over all items is what costs.</summary>
    private int[] DenseTargets(PackedBatch batch) =>
        // The first item of a window follows nothing and would teach popularity alone.
        [.. Enumerable.Range(0, slots).Where(slot => batch.Previous[slot] >= 0 && random.NextDouble() < options.DenseShare)
            .DefaultIfEmpty(0).Take(Math.Max(64, MaxSoftmaxCells / items))];
}
