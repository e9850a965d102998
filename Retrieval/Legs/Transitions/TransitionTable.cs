namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>Which items follow each item, and how often, in compressed sparse rows.</summary>
/// <param name="Starts">[items + 1] where each item's followers start.</param>
/// <param name="Followers">[pairs] item indexes, ascending within a row.</param>
/// <param name="Counts">[pairs] sums of the pairs' weights.</param>
/// <param name="Interactions">[items] of the training part.</param>
public sealed record TransitionTable(long[] Starts, int[] Followers, float[] Counts, int[] Interactions)
{
    /// <summary>Pairs held at once while they are counted: 12 bytes each.</summary>
    private const int MaxPairs = 1 << 24;

    public int Items => Interactions.Length;

    /// <summary>Counts ordered pairs of different items at most <paramref name="window"/> interactions apart.</summary>
    /// <param name="weight">[window] of a pair by its distance, less one.</param>
    /// <param name="maxFollowers">Kept of each item: those of the largest counts, of equal ones the smaller indexes.</param>
    /// <param name="maxPairs">Pairs held at once; it bounds the memory and changes no count.</param>
    public static TransitionTable Count(
        SequenceSet training, int items, int window, Func<int, double> weight, int maxFollowers, int maxPairs = MaxPairs)
    {
        int[] interactions = training.Interactions(items);
        float[] weights = [.. Enumerable.Range(1, window).Select(distance => (float)weight(distance))];
        var starts = new long[items + 1];
        var (followers, counts) = (new List<int>(), new List<float>());
        // Items in shares whose pairs fit: an item has at most window pairs for each of its interactions.
        for (int first = 0; first < items;)
        {
            int end = first;
            for (long pairs = 0; end < items && (end == first || pairs + ((long)interactions[end] * window) <= maxPairs); end++)
            {
                pairs += (long)interactions[end] * window;
            }

            CountShare(training, first, end, weights, maxFollowers, starts, followers, counts);
            first = end;
        }

        return new TransitionTable(starts, [.. followers], [.. counts], interactions);
    }

    private static void CountShare(
        SequenceSet training, int first, int end, float[] weights, int maxFollowers, long[] starts, List<int> followers,
        List<float> counts)
    {
        var (keys, values) = (new List<long>(), new List<float>());
        for (int user = 0; user < training.Count; user++)
        {
            var sequence = training[user];
            for (int from = 0; from < sequence.Length; from++)
            {
                if (sequence[from] < first || sequence[from] >= end)
                {
                    continue;
                }

                for (int to = from + 1; to < Math.Min(sequence.Length, from + 1 + weights.Length); to++)
                {
                    if (sequence[to] != sequence[from])
                    {
                        keys.Add(((long)sequence[from] << 32) | (uint)sequence[to]);
                        values.Add(weights[to - from - 1]);
                    }
                }
            }
        }

        var (pairs, sums) = (keys.ToArray(), values.ToArray());
        Array.Sort(pairs, sums);
        int at = 0;
        for (int item = first; item < end; item++)
        {
            var row = new List<(int Follower, float Count)>();
            while (at < pairs.Length && (int)(pairs[at] >> 32) == item)
            {
                long pair = pairs[at];
                double sum = 0;
                for (; at < pairs.Length && pairs[at] == pair; at++)
                {
                    sum += sums[at];
                }

                row.Add(((int)(pair & uint.MaxValue), (float)sum));
            }

            IEnumerable<(int Follower, float Count)> kept = row.Count <= maxFollowers
                ? row
                : row.OrderByDescending(pair => pair.Count).ThenBy(pair => pair.Follower).Take(maxFollowers).OrderBy(pair => pair.Follower);
            foreach (var (follower, count) in kept)
            {
                followers.Add(follower);
                counts.Add(count);
            }

            starts[item + 1] = followers.Count;
        }
    }
}
