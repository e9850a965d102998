using System.Runtime.InteropServices;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>What reads histories, slot by slot, packed for answering on a CPU. Immutable; safe to use from many threads.</summary>
internal sealed class PackedTrunk(PackedBlocks blocks, Embedding positions) : IDisposable
{
    private readonly float[] _positions = Values(positions.weight!); // [places × dim]

    public int Dim => blocks.Dim;

    /// <summary>The state behind each history.</summary>
    /// <param name="slots">[slots × dim] what is read, the histories end to end; is overwritten.</param>
    /// <param name="starts">[histories + 1] the slot at which each starts; none is empty.</param>
    /// <returns>[histories × dim]</returns>
    public float[] Read(float[] slots, IReadOnlyList<int> starts)
    {
        var (offsets, seen) = (new long[starts[^1] + 1], new List<int>());
        for (int history = 0; history + 1 < starts.Count; history++)
        {
            for (int slot = starts[history]; slot < starts[history + 1]; slot++)
            {
                Add(slots.AsSpan(slot * Dim, Dim), _positions, slot - starts[history]);
                for (int before = starts[history]; before <= slot; before++)
                {
                    seen.Add(before);
                }

                offsets[slot + 1] = seen.Count;
            }
        }

        using var read = new ReadRows();
        int[] ends = [.. starts.Skip(1).Select(end => end - 1)];
        blocks.Read(slots, read, offsets, CollectionsMarshal.AsSpan(seen), ends);
        float[] last = new float[ends.Length * Dim];
        for (int history = 0; history < ends.Length; history++)
        {
            slots.AsSpan(ends[history] * Dim, Dim).CopyTo(last.AsSpan(history * Dim));
        }

        return last;
    }

    public void Dispose() => blocks.Dispose();

    /// <summary>The place of each slot in its history.</summary>
    /// <param name="starts">[histories + 1]</param>
    public static long[] Places(IReadOnlyList<int> starts) =>
        [.. starts.Zip(starts.Skip(1), (from, to) => Enumerable.Range(0, to - from).Select(at => (long)at)).SelectMany(of => of)];

    /// <summary>A copy of the numbers of a dense tensor on the CPU.</summary>
    public static float[] Values(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes).ToArray();

    /// <summary>Adds a row of a table.</summary>
    public static void Add(Span<float> to, float[] table, int row)
    {
        var from = table.AsSpan(row * to.Length, to.Length);
        for (int i = 0; i < to.Length; i++)
        {
            to[i] += from[i];
        }
    }
}
