namespace Recsys.Retrieval.Models;

/// <summary>The dropout of one training step: its rate, and a seed for each mask, so that a run repeats bit by bit.</summary>
/// <param name="p">Probability that an element is dropped, 0 to below 1.</param>
/// <param name="seeds">One for each mask, in the order of use.</param>
/// <param name="firstRow">Place of the first token in the whole batch.</param>
public sealed class DropoutSeeds(double p, IReadOnlyList<long> seeds, long firstRow = 0)
{
    private int _next;

    public double P => p;

    public long FirstRow => firstRow;

    public long Next() => seeds[_next++];

    /// <summary>Masks of one forward pass.</summary>
    public static int Count(int layers) => 1 + (2 * layers);
}
