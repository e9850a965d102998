namespace Recsys.Retrieval.Training;

/// <summary>One rank's windows of a batch. All ranks' shares have one shape too: what a share lacks is padding.</summary>
/// <param name="Batch">The windows, and padding behind them.</param>
/// <param name="From">The whole batch's slot at which they start.</param>
/// <param name="To">The slot at which the next rank's start.</param>
internal sealed record BatchShare(PackedBatch Batch, int From, int To)
{
    /// <summary>Cuts between windows, as near to even as they allow.</summary>
    /// <param name="longest">Slots of the longest window.</param>
    public static BatchShare Of(PackedBatch whole, int rank, int ranks, int longest)
    {
        int slots = whole.Items.Length;
        if (ranks == 1)
        {
            return new BatchShare(whole, 0, slots);
        }

        int from = Cut(whole.Starts, slots, rank, ranks), to = Cut(whole.Starts, slots, rank + 1, ranks);
        int size = ((slots + ranks - 1) / ranks) + longest;
        var (items, previous, positions) = (new int[size], new int[size], new int[size]);
        Array.Fill(items, -1);
        Array.Fill(previous, -1);
        whole.Items.AsSpan(from, to - from).CopyTo(items);
        whole.Previous.AsSpan(from, to - from).CopyTo(previous);
        whole.Positions.AsSpan(from, to - from).CopyTo(positions);
        var starts = whole.Starts.Where(start => start >= from && start < to).Select(start => start - from).Concat(Enumerable.Range(to - from, size - (to - from) + 1));
        return new BatchShare(new PackedBatch(items, previous, positions, [.. starts]), from, to);
    }

    // The first window that starts at or behind the even cut.
    private static int Cut(int[] starts, int slots, int rank, int ranks)
    {
        int even = (int)((long)slots * rank / ranks);
        int at = Array.BinarySearch(starts, even);
        return starts[at >= 0 ? at : ~at];
    }
}
