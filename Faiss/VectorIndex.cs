using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>
/// Vectors that are searched for the nearest to a query. An id is the position in the order of adding. Searches may run at once; adding,
/// training and saving wait for them and run alone. A batch of queries uses all threads of OpenMP.
/// </summary>
public abstract class VectorIndex : IDisposable
{
    internal const int MaxBreadth = 1 << 20;
    private readonly IndexHandle _handle;
    private readonly ReaderWriterLockSlim _gate = new();
    private IndexInfo _info;
    private bool _broken;

    private protected VectorIndex(IndexHandle handle)
    {
        _handle = handle;
        Check(rf_index_info(_handle, out _info), "index");
    }

    public int Dim => (int)_info.Dim;

    public Metric Metric => _info.InnerProduct != 0 ? Metric.InnerProduct : Metric.L2;

    /// <summary>Vectors added so far.</summary>
    public long Count => Volatile.Read(ref _info.Count);

    private protected IndexInfo Info => _info;

    private protected virtual bool AddsOnOneThread => false;

    /// <summary>Reads an index that <see cref="Save"/> wrote: a flat, an HNSW or an IVF one.</summary>
    /// <remarks>The seal tells damage, not intent: load only files from whom you trust.</remarks>
    /// <exception cref="FaissFileException">Not a file of ours, cut short, or damaged.</exception>
    public static VectorIndex Load(string path) => IndexFile.Load(path);

    /// <summary>Adds rows [n, dim]. Inner product needs no unit length, but the cosine does.</summary>
    /// <exception cref="FaissException">Not whole rows; a value not finite or beyond ±1e15; an IVF index that is not trained.</exception>
    public unsafe void Add(ReadOnlySpan<float> vectors)
    {
        int n = Rows.Count(vectors, Dim, "index: vectors to add");
        fixed (float* x = vectors)
        {
            nint at = (nint)x;
            Change("index: adding", () =>
            {
                RequireTrained();
                if (Count + n > int.MaxValue)
                {
                    throw new FaissException("index: the number of vectors", Count + n, $"at most {int.MaxValue}", "use several indexes");
                }

                return rf_index_add(_handle, (float*)at, n, AddsOnOneThread ? 1 : 0);
            });
        }
    }

    /// <summary>The <paramref name="k"/> nearest vectors of each query [n, dim].</summary>
    /// <remarks>From 20 queries a call on, FAISS computes flat L2 distances as |x|² − 2xy + |y|², which loses digits: a vector is then
    /// not at distance 0 from itself, but at about 1e-7 of its squared length.</remarks>
    /// <exception cref="FaissException">Not whole rows; a value not finite or beyond ±1e15; an IVF index that is not trained.</exception>
    public SearchResult Search(ReadOnlySpan<float> queries, int k)
    {
        int n = queries.Length / Dim; // what is left over is refused below
        Rows.Range("index: k", k, 1, Array.MaxLength / Math.Max(n, 1), "ask for at least one neighbour, of fewer queries at a time");
        var distances = Rows.Allocate<float>(n, k, "index: answers");
        var ids = Rows.Allocate<long>(n, k, "index: answers");
        Search(queries, k, distances, ids);
        return new SearchResult(distances, ids, k);
    }

    /// <summary>The same into memory of the caller: <paramref name="distances"/> and <paramref name="ids"/> are [n, k].</summary>
    public unsafe void Search(ReadOnlySpan<float> queries, int k, Span<float> distances, Span<long> ids)
    {
        long n = Rows.Count(queries, Dim, "index: queries");
        Rows.Range("index: k", k, 1, int.MaxValue, "ask for at least one neighbour");
        Rows.Range("index: the length of distances", distances.Length, n * k, n * k, "pass [queries, k]");
        Rows.Range("index: the length of ids", ids.Length, n * k, n * k, "pass [queries, k]");
        _gate.EnterReadLock();
        try
        {
            RequireTrained();
            fixed (float* x = queries, d = distances)
            fixed (long* i = ids)
            {
                Check(rf_index_search(_handle, x, n, k, d, i), "index: searching");
            }
        }
        finally
        {
            _gate.ExitReadLock();
        }
    }

    /// <summary>Writes beside <paramref name="path"/>, syncs and renames, so that a reader sees the old file or the new.</summary>
    /// <exception cref="FaissException">A fault while writing; what stood at <paramref name="path"/> is as it was.</exception>
    public void Save(string path) => Alone(() => IndexFile.Save(path, _handle));

    public void Dispose()
    {
        _handle.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static IndexHandle New(IndexKind kind, int dim, Metric metric, int size = 0, int efConstruction = 0)
    {
        Rows.Dim(dim);
        Check(rf_index_new(kind, dim, metric == Metric.InnerProduct ? 1 : 0, size, efConstruction, out nint handle), "index");
        return new IndexHandle(handle);
    }

    /// <summary>Sets efSearch or nprobe; searches under way end with the old one.</summary>
    private protected void SetBreadth(int breadth) => Change("index", () => rf_index_set_breadth(_handle, breadth));

    private protected unsafe void TrainOn(ReadOnlySpan<float> data, int seed, int minRows)
    {
        int n = Rows.Count(data, Dim, "index: training data");
        Rows.Range("index: the number of training rows", n, minRows, int.MaxValue, "pass as many as there are cells, or make fewer cells");
        fixed (float* x = data)
        {
            nint at = (nint)x;
            Change("index: training", () => rf_index_train(_handle, (float*)at, n, seed));
        }
    }

    // FAISS does not undo a change that failed half-way (for want of memory): its parts no longer agree.
    private void Change(string operation, Func<int> change) => Alone(() =>
    {
        int status = change();
        _broken = status != 0;
        Check(status, operation);
        Check(rf_index_info(_handle, out _info), operation);
    });

    private void Alone(Action action)
    {
        _gate.EnterWriteLock();
        try
        {
            RequireWhole();
            action();
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }

    private void RequireWhole()
    {
        if (_broken)
        {
            throw FaissException.Fault("index", "an earlier change failed half-way", "dispose the index and build or load it again");
        }
    }

    private void RequireTrained()
    {
        RequireWhole();
        if (_info.Trained == 0)
        {
            throw FaissException.Fault("index", "it is not trained", "call Train first");
        }
    }
}
