namespace Recsys.Faiss;

public enum Metric
{
    /// <summary>Squared Euclidean distance, smallest first.</summary>
    L2,

    /// <summary>Inner product, largest first.</summary>
    InnerProduct,
}

/// <param name="Distances">[queries, k], nearest first: squared distances, or inner products.</param>
/// <param name="Labels">[queries, k]: the ids given, or else positions in the order of adding; ties stand in ascending order. An
/// approximate index that found fewer than k answers ends with labels -1.</param>
/// <param name="K">Neighbours a query.</param>
public sealed record SearchResult(float[] Distances, long[] Labels, int K)
{
    public ReadOnlySpan<float> DistancesOf(int query) => Distances.AsSpan(query * K, K);

    public ReadOnlySpan<long> LabelsOf(int query) => Labels.AsSpan(query * K, K);
}

/// <param name="Limits">[queries + 1]: the answers of query q are those from Limits[q] up to but without Limits[q + 1].</param>
/// <param name="Distances">Nearest first within a query.</param>
/// <param name="Labels">In step with the distances; ties stand in ascending order.</param>
public sealed record RangeResult(long[] Limits, float[] Distances, long[] Labels)
{
    public ReadOnlySpan<float> DistancesOf(int query) => Distances.AsSpan((int)Limits[query], (int)(Limits[query + 1] - Limits[query]));

    public ReadOnlySpan<long> LabelsOf(int query) => Labels.AsSpan((int)Limits[query], (int)(Limits[query + 1] - Limits[query]));
}
