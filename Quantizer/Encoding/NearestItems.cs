using Recsys.Catalog;

namespace Recsys.Quantizer.Encoding;

/// <summary>The items that an embedding is nearest to, as their semantic IDs stand for theirs.</summary>
internal static class NearestItems
{
    private const int Chunk = 4096; // items reconstructed at once

    /// <summary>Every item's codes are reconstructed and compared: it takes time in proportion to the catalogue.</summary>
    /// <param name="fused">[dim]</param>
    /// <returns>At most k items, the nearest first, ties by item index; distances: squared, per dimension.</returns>
    public static (int Item, double Distance)[] Of(
        Codebook codebook, ReadOnlySpan<float> fused, ItemTable items, int k, CancellationToken cancel)
    {
        var nearest = new PriorityQueue<int, (double, int)>(); // the farthest first
        for (int first = 0; first < items.Count; first += Chunk)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(Chunk, items.Count - first);
            ushort[] codes = [.. Enumerable.Range(first, count).SelectMany(item => items.SemanticIds[item].Codes())];
            float[] rows = codebook.Reconstruct(codes, count);
            for (int row = 0; row < count; row++)
            {
                double distance = SquaredDistance.PerDimension(fused, rows.AsSpan(row * fused.Length, fused.Length));
                nearest.Enqueue(first + row, (-distance, -(first + row)));
                if (nearest.Count > k)
                {
                    nearest.Dequeue();
                }
            }
        }

        return [.. nearest.UnorderedItems.Select(of => (of.Element, -of.Priority.Item1)).OrderBy(of => (of.Item2, of.Element))];
    }
}

/// <summary>How far two vectors are from one another.</summary>
internal static class SquaredDistance
{
    public static double PerDimension(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        }

        return sum / x.Length;
    }
}
