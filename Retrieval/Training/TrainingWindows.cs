namespace Recsys.Retrieval.Training;

/// <summary>
/// Cuts the users' sequences into windows of at most history + 1 items. A longer sequence is cut anew each epoch, its
/// first cut at random, so that every item is a target with a long history now and then.
/// </summary>
public static class TrainingWindows
{
    /// <summary>The windows of one epoch, shuffled.</summary>
    public static List<TrainingWindow> OfEpoch(SequenceSet training, int slots, Random random)
    {
        var windows = new List<TrainingWindow>(training.Count);
        for (int user = 0; user < training.Count; user++)
        {
            int start = training.Offsets[user], end = training.Offsets[user + 1];
            int cut = end - start > slots ? start + random.Next(2, slots + 1) : end;
            while (start < end)
            {
                if (cut - start >= 2)
                {
                    windows.Add(new TrainingWindow(start, cut - start));
                }

                (start, cut) = (cut, Math.Min(cut + slots, end));
            }
        }

        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(windows));
        return windows;
    }
}

/// <summary>A run of one user's interactions.</summary>
/// <param name="Start">Index into <see cref="SequenceSet.Items"/>.</param>
/// <param name="Length">2 to history + 1 items.</param>
public readonly record struct TrainingWindow(int Start, int Length);
