namespace Recsys.Retrieval.Training;

/// <summary>
/// Several users' windows end to end, each attending to itself alone: a batch mixes long and short histories as the data does, and only
/// its tail is padding. All batches have one shape, for which the matrix library prepares once. A slot stands for the tokens of one target
/// item.
/// </summary>
/// <param name="Items">[slots] the target item, -1: padding.</param>
/// <param name="Previous">[slots] the item before it in its window, -1: BOS or padding.</param>
/// <param name="Positions">[slots] place in the window, from 0.</param>
/// <param name="Starts">[windows + 1] slot at which each window starts; the padding counts as windows of one slot; the last is the number
/// of slots.</param>
public sealed record PackedBatch(int[] Items, int[] Previous, int[] Positions, int[] Starts)
{
    /// <summary>[windows but the padding] whose each is, an index into the training part.</summary>
    public int[] Users { get; init; } = [];

    /// <summary>Packs windows, in their order, into batches of <paramref name="slots"/> slots.</summary>
    /// <param name="windows">Of an epoch, or of one epoch after the other without end: then no batch is partly filled at an epoch's
    /// end, where it would take a full step with few items.</param>
    /// <param name="slots">At least the longest window.</param>
    public static IEnumerable<PackedBatch> Pack(SequenceSet training, IEnumerable<TrainingWindow> windows, int slots)
    {
        var batch = new List<TrainingWindow>();
        int filled = 0;
        foreach (var window in windows)
        {
            if (filled + window.Length > slots)
            {
                yield return Lay(training, batch, slots);
                batch.Clear();
                filled = 0;
            }

            batch.Add(window);
            filled += window.Length;
        }

        if (batch.Count > 0)
        {
            yield return Lay(training, batch, slots);
        }
    }

    /// <summary>A run of whole windows, moved to the front of a batch of its own.</summary>
    /// <param name="first">The slot at which its first window starts.</param>
    /// <param name="end">The slot behind its last window.</param>
    /// <param name="slots">Slots of the new batch, at least as many; the rest is padding.</param>
    public PackedBatch Part(int first, int end, int slots)
    {
        int length = end - first;
        int[] Cut(int[] values, int padding) => [.. values[first..end], .. Enumerable.Repeat(padding, slots - length)];
        var starts = Starts.Where(start => start >= first && start < end).Select(start => start - first);
        return new PackedBatch(
            Cut(Items, -1), Cut(Previous, -1), Cut(Positions, 0), [.. starts, .. Enumerable.Range(length, slots - length + 1)])
        {
            Users = [.. Users.Where((_, window) => Starts[window] >= first && Starts[window] < end)],
        };
    }

    private static PackedBatch Lay(SequenceSet training, List<TrainingWindow> windows, int slots)
    {
        var (items, previous, positions) = (new int[slots], new int[slots], new int[slots]);
        var starts = new List<int>(windows.Count + 2);
        int slot = 0;
        foreach (var window in windows)
        {
            starts.Add(slot);
            for (int at = 0; at < window.Length; at++, slot++)
            {
                items[slot] = training.Items[window.Start + at];
                previous[slot] = at == 0 ? -1 : training.Items[window.Start + at - 1];
                positions[slot] = at;
            }
        }

        for (; slot < slots; slot++)
        {
            starts.Add(slot);
            (items[slot], previous[slot]) = (-1, -1);
        }

        starts.Add(slots);
        return new PackedBatch(items, previous, positions, [.. starts]) { Users = [.. windows.Select(window => UserOf(training, window))] };
    }

    // Of equal offsets, users without an interaction, the last.
    private static int UserOf(SequenceSet training, TrainingWindow window)
    {
        int low = 0, high = training.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = training.Offsets[middle] <= window.Start ? (middle, high) : (low, middle - 1);
        }

        return low;
    }
}
