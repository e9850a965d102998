namespace Recsys.Faiss;

/// <summary>What a vector is near to.</summary>
public enum Metric
{
    /// <summary>Squared Euclidean distance; the smallest is the nearest.</summary>
    L2,

    /// <summary>Inner product; the largest is the nearest. With rows of unit length it is the cosine.</summary>
    InnerProduct,
}

/// <param name="Distances">Row-major [queries, k], nearest first; float.MaxValue (inner product: its negative) where there is none.</param>
/// <param name="Ids">Row-major [queries, k]: positions in the order of adding; −1 where there is no neighbour.</param>
public sealed record SearchResult(float[] Distances, long[] Ids, int K);
