using System.Runtime.InteropServices;
using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Legs;

/// <summary>A score for each item of the catalogue.</summary>
/// <param name="all">[rows, items] float32, dense, on the CPU.</param>
internal sealed class FullScores(Tensor all, int row) : ILegScores
{
    public float Least
    {
        get
        {
            float least = float.PositiveInfinity;
            foreach (float score in Row)
            {
                least = Math.Min(least, float.IsNaN(score) ? least : score);
            }

            return least;
        }
    }

    /// <summary>[items]</summary>
    private ReadOnlySpan<float> Row
    {
        get
        {
            int width = (int)all.size(1);
            return MemoryMarshal.Cast<byte, float>(all.bytes).Slice(row * width, width);
        }
    }

    /// <param name="scores">[rows, items]</param>
    /// <returns>[rows]</returns>
    public static ILegScores[] Of(Tensor scores) =>
        [.. Enumerable.Range(0, (int)scores.size(0)).Select(row => new FullScores(scores, row))];

    public float[] Of(ReadOnlySpan<int> items)
    {
        var scores = new float[items.Length];
        var row = Row;
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = row[items[i]];
        }

        return scores;
    }

    public int[] Best(int n, Admission? admission) => TopItems.Of(Row, n, admission);

    public int[] Best(int n, Admission? admission, ItemGroup among)
    {
        int[] items = [.. among.Items.Where(item => admission?.Allows(item) != false)];
        return TopItems.Of(Of(items), items, n);
    }
}
