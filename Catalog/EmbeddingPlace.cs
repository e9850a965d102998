namespace Recsys.Catalog;

/// <summary>
/// How a vector as its owner brings it comes among those of a catalogue that a model has read: (v − Mean) · Scale, v of unit length
/// first unless its length counts.
/// </summary>
/// <param name="KeepLength">False: v is scaled to unit length first.</param>
/// <param name="Mean">[dim]</param>
public sealed record EmbeddingPlace(bool KeepLength, float[] Mean, float Scale)
{
    /// <summary>Copies a vector, of unit length unless its length is kept.</summary>
    /// <param name="target">[dim], overwritten.</param>
    /// <returns>False for a vector of zeros, which says nothing and counts as missing.</returns>
    public static bool TryNormalise(ReadOnlySpan<float> vector, bool keepLength, Span<float> target)
    {
        double squared = 0;
        foreach (float value in vector)
        {
            squared += (double)value * value;
        }

        target.Clear();
        if (squared == 0)
        {
            return false;
        }

        double factor = keepLength ? 1 : 1 / Math.Sqrt(squared);
        for (int i = 0; i < vector.Length; i++)
        {
            target[i] = (float)(vector[i] * factor);
        }

        return true;
    }
}
