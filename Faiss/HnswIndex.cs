using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>
/// Approximate search for the vectors nearest to a query, in a small-world graph over whole vectors (HNSW, Malkov and Yashunin 2016). An id
/// is the position in the order of adding. Searches may run at once; adding and saving wait for them and run alone. A batch of queries
/// uses all threads of OpenMP.
/// </summary>
public sealed class HnswIndex : IDisposable
{
    private const int MaxBreadth = 1 << 20;
    private readonly IndexHandle _handle;
    private readonly ReaderWriterLockSlim _gate = new();
    private IndexInfo _info;
    private bool _broken;

    /// <param name="m">Links of a vector, 2 to 512; twice as many on the lowest layer.</param>
    /// <param name="efConstruction">Candidates looked at while a vector is added.</param>
    public HnswIndex(int dim, Metric metric, int m = 32, int efConstruction = 40)
        : this(Create(dim, metric, m, efConstruction))
    {
    }

    internal HnswIndex(IndexHandle handle)
    {
        _handle = handle;
        Check(rf_index_info(_handle, out _info), "index");
    }

    public int Dim => (int)_info.Dim;

    public Metric Metric => _info.InnerProduct != 0 ? Metric.InnerProduct : Metric.L2;

    /// <summary>Vectors added so far.</summary>
    public long Count => Volatile.Read(ref _info.Count);

    public int M => (int)_info.M;

    public int EfConstruction => (int)_info.EfConstruction;

    /// <summary>Candidates looked at while searching: more finds more and takes longer. A search looks at k of them at least. Searches
    /// under way end with the old number.</summary>
    public int EfSearch
    {
        get => (int)_info.EfSearch;
        set
        {
            Rows.Range("HNSW: efSearch", value, 1, MaxBreadth, "64 to 512 are usual");
            Change("index", () => rf_index_set_breadth(_handle, value));
        }
    }

    /// <summary>Adds on all threads. The graph then depends on how they meet; by default it does not, and adding uses one thread.</summary>
    public bool ParallelBuild { get; set; }

    /// <summary>Reads an index that <see cref="Save"/> wrote.</summary>
    /// <remarks>The seal tells damage, not intent: load only files from whom you trust.</remarks>
    /// <exception cref="FaissFileException">Not a file of ours, cut short, or damaged.</exception>
    public static HnswIndex Load(string path) => IndexFile.Load(path);

    /// <summary>Adds rows [n, dim]. Inner product needs no unit length, but the cosine does.</summary>
    /// <exception cref="FaissException">Not whole rows; a value not finite or beyond ±1e15.</exception>
    public unsafe void Add(ReadOnlySpan<float> vectors)
    {
        int n = Rows.Count(vectors, Dim, "index: vectors to add");
        fixed (float* x = vectors)
        {
            nint at = (nint)x;
            Change("index: adding", () =>
            {
                Rows.Range("index: the number of vectors", Count + n, 0, int.MaxValue, "use several indexes");
                return rf_index_add(_handle, (float*)at, n, ParallelBuild ? 0 : 1);
            });
        }
    }

    /// <summary>The <paramref name="k"/> nearest vectors of each query [n, dim].</summary>
    /// <exception cref="FaissException">Not whole rows; a value not finite or beyond ±1e15.</exception>
    public unsafe SearchResult Search(ReadOnlySpan<float> queries, int k)
    {
        int n = Rows.Count(queries, Dim, "index: queries");
        Rows.Range("index: k", k, 1, Array.MaxLength / Math.Max(n, 1), "ask for at least one neighbour, of fewer queries at a time");
        var distances = Rows.Allocate<float>(n, k, "index: answers");
        var ids = Rows.Allocate<long>(n, k, "index: answers");
        _gate.EnterReadLock();
        try
        {
            RequireWhole();
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

        return new SearchResult(distances, ids, k);
    }

    /// <summary>Writes beside <paramref name="path"/>, syncs and renames, so that a reader sees the old file or the new.</summary>
    /// <exception cref="FaissException">A fault while writing; what stood at <paramref name="path"/> is as it was.</exception>
    public void Save(string path) => Alone(() => IndexFile.Save(path, _handle));

    public void Dispose() => _handle.Dispose();

    private static IndexHandle Create(int dim, Metric metric, int m, int efConstruction)
    {
        Rows.Dim(dim);
        Rows.Range("HNSW: M", m, 2, 512, "16 to 64 are usual");
        Rows.Range("HNSW: efConstruction", efConstruction, 1, MaxBreadth, "40 to 500 are usual");
        Check(rf_index_new(dim, metric == Metric.InnerProduct ? 1 : 0, m, efConstruction, out nint handle), "index");
        return new IndexHandle(handle);
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
}
