using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Legs;

/// <summary>What one leg says of the items behind one history. Valid as long as the dispose scope that it was made in.</summary>
internal interface ILegScores
{
    /// <summary>What stands for the score of an item that the leg knows nothing of, where nothing else does: its lowest.</summary>
    float Least { get; }

    /// <summary>The scores of some items; NaN: the leg knows nothing of it.</summary>
    /// <returns>[items]</returns>
    float[] Of(ReadOnlySpan<int> items);

    /// <summary>The n best items, best first, of equal ones the smaller index first.</summary>
    /// <param name="admission">Which may be answered; null: every one.</param>
    int[] Best(int n, Admission? admission);

    /// <summary>The n best of some items, in the same order.</summary>
    int[] Best(int n, Admission? admission, ItemGroup among);
}

/// <summary>Some items.</summary>
/// <param name="Items">Indexes.</param>
/// <param name="Has">Whether an item is one of them.</param>
internal sealed record ItemGroup(int[] Items, Predicate<int> Has);
