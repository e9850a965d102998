namespace Recsys.Retrieval.Models;

/// <summary>A training's dropout: its rate, and a seed for each mask, so that a run repeats bit by bit.</summary>
/// <param name="P">Probability that an element is dropped, 0 to below 1.</param>
/// <param name="Random">The training's own stream.</param>
public sealed record DropoutSeeds(double P, Random Random)
{
    public long Next() => Random.NextInt64();
}
