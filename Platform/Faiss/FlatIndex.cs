using static Recsys.Faiss.NativeMethods;

namespace Recsys.Faiss;

public enum Metric
{
    /// <summary>Squared Euclidean distance, smallest first.</summary>
    L2,

    /// <summary>Inner product, largest first.</summary>
    InnerProduct,
}

/// <param name="Distances">[queries, k], nearest first: squared distances, or inner products.</param>
/// <param name="Labels">[queries, k]: positions in the order of adding; ties stand in ascending order.</param>
/// <param name="K">Neighbours a query.</param>
public sealed record SearchResult(float[] Distances, long[] Labels, int K)
{
    public ReadOnlySpan<float> DistancesOf(int query) => Distances.AsSpan(query * K, K);

    public ReadOnlySpan<long> LabelsOf(int query) => Labels.AsSpan(query * K, K);
}

/// <summary>
/// Exact nearest-neighbour search over all added vectors. Searches may run at the same time; adding must be alone.
/// </summary>
public sealed class FlatIndex : IDisposable
{
    private readonly FlatIndexHandle _handle;

    /// <summary>Makes an empty index of vectors [dim].</summary>
    public unsafe FlatIndex(int dim, Metric metric = Metric.L2)
    {
        if (dim < 1)
        {
            throw new FaissException($"flat index: dimension {dim} must be at least 1");
        }

        Dim = dim;
        Metric = metric;
        nint index;
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (byte* errorOut = error)
        {
            Check(rs_faiss_flat_new(dim, metric == Metric.InnerProduct ? 1 : 0, &index, errorOut, error.Length), error, "flat index");
        }

        _handle = new FlatIndexHandle(index);
    }

    public int Dim { get; }

    public Metric Metric { get; }

    /// <summary>Vectors added so far.</summary>
    public long Count { get; private set; }

    /// <summary>Adds row-major [n, dim] vectors; they get the labels Count, Count + 1, … An error adds none.</summary>
    /// <exception cref="FaissException">Not whole rows, or a value that is not finite.</exception>
    public unsafe void Add(ReadOnlySpan<float> vectors)
    {
        int n = Rows(vectors.Length, "vectors");
        if (n == 0)
        {
            return;
        }

        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (float* x = vectors)
        fixed (byte* errorOut = error)
        {
            Check(rs_faiss_flat_add(_handle, x, n, errorOut, error.Length), error, "flat index add");
        }

        Count += n;
    }

    /// <summary>The <paramref name="k"/> nearest of every query, row-major [n, dim].</summary>
    /// <exception cref="FaissException">k below 1 or above Count, not whole rows, or a value that is not finite.</exception>
    public unsafe SearchResult Search(ReadOnlySpan<float> queries, int k)
    {
        int n = Rows(queries.Length, "queries");
        if (k < 1 || k > Count)
        {
            throw new FaissException($"flat index search: k is {k} but the index holds {Count} vectors; k must be between 1 and that");
        }

        var distances = new float[checked(n * k)];
        var labels = new long[n * k];
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (float* x = queries, distancesOut = distances)
        fixed (long* labelsOut = labels)
        fixed (byte* errorOut = error)
        {
            if (n > 0)
            {
                Check(rs_faiss_flat_search(_handle, x, n, k, distancesOut, labelsOut, errorOut, error.Length), error, "flat index search");
            }
        }

        return new SearchResult(distances, labels, k);
    }

    public void Dispose() => _handle.Dispose();

    private int Rows(int length, string what)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        return length % Dim == 0
            ? length / Dim
            : throw new FaissException($"flat index: {length} values of {what} are not whole rows of dimension {Dim}");
    }
}
