namespace Recsys.Retrieval.Models;

/// <summary>
/// Batches of a few sizes, where a GPU answers: its libraries choose kernels, and its allocator keeps blocks, by shape, so that shapes
/// which come again cost least. What is added is never read by what was asked for.
/// </summary>
internal static class FixedShapes
{
    /// <summary>The least power of two that is not smaller.</summary>
    public static int Size(int count) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count);

    /// <summary>
    /// Histories that are laid behind a batch of n, so that their number (2 P + 1, P being <see cref="Size"/> of n), all their slots
    /// (P (L + 1) + L) and the longest (L) follow from n alone.
    /// </summary>
    /// <param name="starts">[n + 1] where each of the batch starts.</param>
    /// <param name="longest">L: slots of the longest history that there may be, 1 or more.</param>
    /// <returns>Slots of each of them, 1 to L.</returns>
    public static int[] Behind(IReadOnlyList<int> starts, int longest)
    {
        int rows = starts.Count - 1, size = Size(rows);
        var added = new int[(2 * size) + 1 - rows];
        int left = (size * (longest + 1)) + longest - starts[^1] - added.Length;
        for (int i = 0; i < added.Length; i++)
        {
            int more = Math.Min(left, longest - 1);
            (added[i], left) = (1 + more, left - more);
        }

        return added;
    }
}
