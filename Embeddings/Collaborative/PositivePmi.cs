using Recsys.Catalog;
using Recsys.Embeddings.Factorisation;

namespace Recsys.Embeddings.Collaborative;

/// <summary>
/// Positive pointwise mutual information of items that stand near each other in users' sequences:
/// max(0, ln(n(i,j) · n / (n(i) · n(j)))) over ordered pairs (Levy and Goldberg 2014, equation 10).
/// </summary>
public static class PositivePmi
{
    /// <param name="window">Most steps between the two items of a pair; an item is no neighbour of itself.</param>
    /// <param name="items">Items of the catalogue.</param>
    /// <returns>[items × items], symmetric, without the zeros.</returns>
    public static CsrMatrix Of(SequenceSet sequences, int window, int items)
    {
        var neighbours = CountNeighbours(sequences, window, items);
        var totals = neighbours.Select(row => row.Sum(n => (long)n.Count)).ToArray();
        double all = totals.Sum();
        var kept = neighbours.AsParallel().AsOrdered().Select((row, item) => row
            .Select(n => (n.Item, Value: Math.Log(n.Count * all / ((double)totals[item] * totals[n.Item]))))
            .Where(n => n.Value > 0).ToArray()).ToArray();

        var offsets = new int[items + 1];
        for (int item = 0; item < items; item++)
        {
            offsets[item + 1] = checked(offsets[item] + kept[item].Length);
        }

        var (columns, values) = (new int[offsets[items]], new float[offsets[items]]);
        for (int item = 0; item < items; item++)
        {
            for (int i = 0; i < kept[item].Length; i++)
            {
                (columns[offsets[item] + i], values[offsets[item] + i]) = (kept[item][i].Item, (float)kept[item][i].Value);
            }
        }

        return new CsrMatrix(offsets, columns, values, items);
    }

    // Row by row through an inverted index, so that memory stays with the distinct pairs, not with all pairs.
    private static (int Item, int Count)[][] CountNeighbours(SequenceSet sequences, int window, int items)
    {
        var userOf = new int[sequences.Items.Length];
        for (int user = 0; user < sequences.Count; user++)
        {
            userOf.AsSpan(sequences.Offsets[user], sequences.Offsets[user + 1] - sequences.Offsets[user]).Fill(user);
        }

        var places = Places(sequences.Items, items);
        var rows = new (int Item, int Count)[items][];
        BlockArithmetic.ForEachPart(items, (_, from, to) =>
        {
            var near = new List<int>();
            for (int item = from; item < to; item++)
            {
                near.Clear();
                for (int at = places.Offsets[item]; at < places.Offsets[item + 1]; at++)
                {
                    int place = places.Positions[at], user = userOf[place];
                    int first = Math.Max(place - window, sequences.Offsets[user]);
                    int end = Math.Min(place + window + 1, sequences.Offsets[user + 1]);
                    for (int other = first; other < end; other++)
                    {
                        if (sequences.Items[other] != item)
                        {
                            near.Add(sequences.Items[other]);
                        }
                    }
                }

                rows[item] = RunLengths(near);
            }
        });
        return rows;
    }

    private static (int[] Offsets, int[] Positions) Places(int[] sequence, int items)
    {
        var offsets = new int[items + 1];
        foreach (int item in sequence)
        {
            offsets[item + 1]++;
        }

        for (int item = 0; item < items; item++)
        {
            offsets[item + 1] += offsets[item];
        }

        var next = offsets.AsSpan(0, items).ToArray();
        var positions = new int[sequence.Length];
        for (int position = 0; position < sequence.Length; position++)
        {
            positions[next[sequence[position]]++] = position;
        }

        return (offsets, positions);
    }

    private static (int Item, int Count)[] RunLengths(List<int> values)
    {
        values.Sort();
        var runs = new List<(int Item, int Count)>();
        for (int from = 0, to; from < values.Count; from = to)
        {
            to = from;
            while (to < values.Count && values[to] == values[from])
            {
                to++;
            }

            runs.Add((values[from], to - from));
        }

        return [.. runs];
    }
}
