using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

// Vectors in and out. Spans cannot be captured, so each operation takes and leaves the lock itself, around pinned memory.
public abstract partial class VectorIndex
{
    /// <summary>Whether threads may add to a graph at once; false where the order does not matter.</summary>
    private protected virtual bool AddsInOrder => false;

    /// <summary>Learns codebooks and lists from row-major [n, dim] vectors; nothing to do for an index without any.</summary>
    /// <param name="seed">Same seed and vectors: same index. FAISS's own default is 1234.</param>
    /// <exception cref="FaissException">Too few vectors, not whole rows, a value not finite, vectors already held.</exception>
    public unsafe void Train(ReadOnlySpan<float> vectors, int seed = 1234)
    {
        int n = Rows(vectors.Length, Dim, "train", "vectors");
        Require(Count == 0, $"{Name} train: {Count} vectors are held already; train before adding");
        Require(seed >= 0, $"{Name} train: seed {seed} must not be negative");
        fixed (float* x = vectors)
        {
            float* values = x;
            Changing(() =>
            {
                Span<byte> error = stackalloc byte[ErrorBytes];
                fixed (byte* errorOut = error)
                {
                    Check(rs_faiss_index_train(Handle, values, n, seed, errorOut, error.Length), error, $"{Name} train");
                }
            });
        }
    }

    /// <summary>Adds row-major [n, dim] vectors; they get the labels Count, Count + 1, … An error adds none.</summary>
    /// <exception cref="FaissException">Not trained, not whole rows, a value not finite, or labels are the caller's.</exception>
    public void Add(ReadOnlySpan<float> vectors)
    {
        Require(!HasOwnIds || Count == 0, $"{Name} add: its labels are the caller's since AddWithIds or Remove; numbering on would repeat some, so give ids");
        Add(vectors, default, HasOwnIds);
    }

    /// <summary>
    /// Adds row-major [n, dim] vectors with labels [n], not negative; those added before without ids keep their positions as labels.
    /// An id given twice stands for two vectors.
    /// </summary>
    /// <exception cref="FaissException">Not trained, not whole rows, another number of ids, a value not finite, a negative id.</exception>
    public void AddWithIds(ReadOnlySpan<float> vectors, ReadOnlySpan<long> ids)
    {
        int n = Rows(vectors.Length, Dim, "add", "vectors");
        Require(ids.Length == n, $"{Name} add: {ids.Length} ids for {n} vectors; give one each");
        Add(vectors, ids, withIds: true);
    }

    /// <summary>The <paramref name="k"/> nearest of every query, row-major [n, dim].</summary>
    /// <exception cref="FaissException">k below 1 or above Count, not trained, not whole rows, or a value that is not finite.</exception>
    public unsafe SearchResult Search(ReadOnlySpan<float> queries, int k)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        int n = Rows(queries.Length, Dim, "search", "queries");
        Require((long)n * k <= Array.MaxLength, $"{Name} search: {n} queries × {k} answers do not fit one array; ask in parts");
        SearchResult? result = null;
        fixed (float* x = queries)
        {
            float* values = x;
            Reading(() =>
            {
                Require(k >= 1 && k <= Count, $"{Name} search: k is {k} but the index holds {Count} vectors; k must be between 1 and that");
                result = new SearchResult(new float[n * k], new long[n * k], k);
                Span<byte> error = stackalloc byte[ErrorBytes];
                fixed (float* distances = result.Distances)
                fixed (long* labels = result.Labels)
                fixed (byte* errorOut = error)
                {
                    if (n > 0)
                    {
                        Check(rs_faiss_index_search(Handle, values, n, k, distances, labels, errorOut, error.Length), error, $"{Name} search");
                    }
                }
            });
        }

        return result!;
    }

    /// <summary>Everything nearer than <paramref name="radius"/>: squared distances below it, or inner products above it. Exact for a flat
    /// index, within the probed lists for an inverted file; other kinds have no such search.</summary>
    /// <exception cref="FaissException">A kind without it, not whole rows, a value or radius that is not finite, or more answers than fit one array.</exception>
    public unsafe RangeResult SearchRange(ReadOnlySpan<float> queries, float radius)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        int n = Rows(queries.Length, Dim, "range search", "queries");
        Require(float.IsFinite(radius), $"{Name} range search: radius {radius} must be finite");
        RangeResult? result = null;
        fixed (float* x = queries)
        {
            float* values = x;
            Reading(() =>
            {
                Span<byte> error = stackalloc byte[ErrorBytes];
                nint answer;
                long total;
                fixed (byte* errorOut = error)
                {
                    Check(rs_faiss_index_range(Handle, values, n, radius, out answer, out total, errorOut, error.Length), error, $"{Name} range search");
                }

                try
                {
                    Require(total <= Array.MaxLength, $"{Name} range search: {total:N0} answers do not fit one array; ask in parts or with another radius");
                    result = Copy(answer, n, (int)total);
                }
                finally
                {
                    rs_faiss_range_delete(answer);
                }
            });
        }

        return result!;
    }

    /// <summary>
    /// Removes what carries one of the labels; those that nothing carries are passed over. Without own ids the vectors behind move up,
    /// and their labels with them (FAISS's own behaviour); use <see cref="AddWithIds"/> where labels must stay.
    /// </summary>
    /// <returns>Vectors removed.</returns>
    public unsafe long Remove(ReadOnlySpan<long> labels)
    {
        long removed = 0;
        int n = labels.Length;
        fixed (long* first = labels)
        {
            long* values = first;
            Changing(() =>
            {
                Span<byte> error = stackalloc byte[ErrorBytes];
                fixed (byte* errorOut = error)
                {
                    Check(rs_faiss_index_remove(Handle, values, n, out removed, errorOut, error.Length), error, $"{Name} remove");
                }
            });
        }

        return removed;
    }

    private unsafe void Add(ReadOnlySpan<float> vectors, ReadOnlySpan<long> ids, bool withIds)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        int n = Rows(vectors.Length, Dim, "add", "vectors");
        Require(IsTrained, $"{Name} add: it is not trained; call Train first");
        long[] counted = withIds && ids.IsEmpty ? [.. Enumerable.Range(0, n).Select(i => (long)i)] : [];
        if (n == 0)
        {
            return;
        }

        fixed (float* x = vectors)
        fixed (long* given = counted.Length > 0 ? counted : ids)
        {
            float* values = x;
            long* labels = given;
            Changing(() =>
            {
                Span<byte> error = stackalloc byte[ErrorBytes];
                fixed (byte* errorOut = error)
                {
                    int status = rs_faiss_index_add(Handle, values, withIds ? labels : null, n, AddsInOrder ? 1 : 0, errorOut, error.Length);
                    Check(status, error, $"{Name} add");
                }
            });
        }
    }

    private unsafe RangeResult Copy(nint answer, int queries, int total)
    {
        var result = new RangeResult(new long[queries + 1], new float[total], new long[total]);
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (long* limits = result.Limits, labels = result.Labels)
        fixed (float* distances = result.Distances)
        fixed (byte* errorOut = error)
        {
            int status = rs_faiss_range_copy(answer, Metric == Metric.InnerProduct ? 1 : 0, limits, distances, labels, errorOut, error.Length);
            Check(status, error, $"{Name} range search");
        }

        return result;
    }
}
