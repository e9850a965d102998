namespace Recsys.Retrieval.Training;

/// <summary>
/// Several users' windows side by side in rows of equal length, each attending to itself alone: nearly no padding, and a batch mixes
/// long and short histories as the data does. An item slot stands for the tokens of one target item.
/// </summary>
/// <param name="Rows">Rows.</param>
/// <param name="Slots">Item slots in a row.</param>
/// <param name="Items">[rows × slots] the target item, -1: padding.</param>
/// <param name="Previous">[rows × slots] the item before it in its window, -1: BOS or padding.</param>
/// <param name="Positions">[rows × slots] place in the window, from 0.</param>
/// <param name="Segments">[rows × slots] which window of the row, from 1; 0: padding.</param>
public sealed record PackedBatch(int Rows, int Slots, int[] Items, int[] Previous, int[] Positions, int[] Segments)
{
    /// <summary>Packs an epoch's windows into batches of <paramref name="rows"/> rows; the last may be smaller.</summary>
    public static IEnumerable<PackedBatch> Pack(SequenceSet training, IReadOnlyList<TrainingWindow> windows, int slots, int rows)
    {
        var open = new List<TrainingWindow>();
        int next = 0;
        // Enough windows for a full batch are packed at a time, longest first, so that a batch is a fair sample of the epoch.
        while (next < windows.Count || open.Count > 0)
        {
            int filled = open.Sum(window => window.Length);
            while (next < windows.Count && filled + windows[next].Length <= rows * slots)
            {
                filled += windows[next].Length;
                open.Add(windows[next++]);
            }

            var (batch, left) = PackOne(training, open, slots, rows);
            open = left;
            yield return batch;
        }
    }

    private static (PackedBatch Batch, List<TrainingWindow> Left) PackOne(SequenceSet training, List<TrainingWindow> windows, int slots, int rows)
    {
        var room = new List<int>(rows);
        var placed = new List<(TrainingWindow Window, int Row)>(windows.Count);
        var left = new List<TrainingWindow>();
        var rowsWithRoom = new Stack<int>[slots + 1];
        for (int size = 0; size <= slots; size++)
        {
            rowsWithRoom[size] = new Stack<int>();
        }

        foreach (var window in windows.OrderByDescending(window => window.Length))
        {
            int fit = window.Length; // best fit: the fullest row that still takes it
            while (fit <= slots && rowsWithRoom[fit].Count == 0)
            {
                fit++;
            }

            if (fit > slots && room.Count == rows)
            {
                left.Add(window);
                continue;
            }

            int row = fit <= slots ? rowsWithRoom[fit].Pop() : room.Count;
            if (fit > slots)
            {
                room.Add(slots);
            }

            room[row] -= window.Length;
            rowsWithRoom[room[row]].Push(row);
            placed.Add((window, row));
        }

        return (Lay(training, placed, slots, room.Count), left);
    }

    private static PackedBatch Lay(SequenceSet training, List<(TrainingWindow Window, int Row)> placed, int slots, int rows)
    {
        var batch = new PackedBatch(rows, slots, new int[rows * slots], new int[rows * slots], new int[rows * slots], new int[rows * slots]);
        Array.Fill(batch.Items, -1);
        Array.Fill(batch.Previous, -1);
        var (used, segments) = (new int[rows], new int[rows]);
        foreach (var (window, row) in placed)
        {
            segments[row]++;
            for (int i = 0; i < window.Length; i++)
            {
                int slot = (row * slots) + used[row]++;
                batch.Items[slot] = training.Items[window.Start + i];
                batch.Previous[slot] = i == 0 ? -1 : training.Items[window.Start + i - 1];
                batch.Positions[slot] = i;
                batch.Segments[slot] = segments[row];
            }
        }

        return batch;
    }
}
