namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>Followers of an item since something new came in.</summary>
internal sealed record NewerRow(int[] Followers, float[] Counts, float[] Evidence);

/// <summary>What follows an item: each [followers], ascending.</summary>
internal readonly ref struct TransitionRow(ReadOnlySpan<int> followers, ReadOnlySpan<float> counts, ReadOnlySpan<float> evidence)
{
    public ReadOnlySpan<int> Followers { get; } = followers;

    public ReadOnlySpan<float> Counts { get; } = counts;

    public ReadOnlySpan<float> Evidence { get; } = evidence;
}

/// <summary>An item of the history that speaks for another.</summary>
/// <param name="Count">How often the one followed the other, weighted by distance.</param>
/// <param name="Part">What it adds to the leg's score.</param>
public sealed record TransitionReason(int Item, double Count, double Part);
