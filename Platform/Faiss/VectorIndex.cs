using System.Runtime.InteropServices;
using Recsys.Faiss.Files;
using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>
/// An index of FAISS over vectors [n, dim]. Any number of threads may search at once; a change waits for the searches before it and
/// holds up those after it. A batch of queries uses all cores.
/// </summary>
public abstract partial class VectorIndex : IDisposable
{
    /// <summary>Largest magnitude of a component: beyond it squared distances overflow.</summary>
    public const float LargestValue = 1e15f;

    /// <summary>Most dimensions of a vector.</summary>
    public const int MostDimensions = 65_536;

    private readonly ReaderWriterLockSlim _gate = new();

    private protected VectorIndex(IndexHandle handle)
    {
        Handle = handle;
        Refresh();
    }

    /// <summary>Components of a vector.</summary>
    public int Dim => (int)Info.Dim;

    public Metric Metric => Info.InnerProduct != 0 ? Metric.InnerProduct : Metric.L2;

    /// <summary>Vectors held.</summary>
    public long Count => Info.Count;

    public bool IsTrained => Info.Trained != 0;

    /// <summary>Whether labels are the caller's (<see cref="AddWithIds"/>) and not positions in the order of adding.</summary>
    public bool HasOwnIds => Info.OwnIds != 0;

    /// <summary>Native bytes held: vectors or codes, lists, graph, codebooks and tables.</summary>
    public long Bytes => Info.Bytes;

    /// <summary>Bytes of one stored vector, without its id.</summary>
    public int CodeBytes => (int)Info.CodeBytes;

    /// <summary>How <see cref="Create"/> would be asked for it, for example <c>IVF64,PQ8x8</c>.</summary>
    public abstract string Description { get; }

    private protected IndexHandle Handle { get; }

    private protected IndexInfo Info { get; private set; }

    /// <summary>An empty index by FAISS's description: <c>Flat</c>, <c>PQ8</c>, <c>PQ8x6</c>, <c>RQ4x8</c>, <c>IVF64,Flat</c>, <c>IVF64,PQ8</c>, <c>HNSW32</c>.</summary>
    /// <exception cref="FaissException">Another description, or a number out of its range.</exception>
    public static VectorIndex Create(string description, int dim, Metric metric = Metric.L2) =>
        IndexDescription.Parse(description, dim, metric);

    /// <summary>Reads what <see cref="Save"/> wrote. Everything in the file is checked before FAISS sees it.</summary>
    /// <param name="maxBytes">Largest file; by default half of what memory the process may use, because the file is held beside the index while it is read.</param>
    /// <exception cref="FaissFileException">No index, damaged, truncated, contradicting itself, too large, or not readable.</exception>
    public static VectorIndex Load(string path, long? maxBytes = null) => IndexFile.Load(path, maxBytes, requireSeal: true);

    /// <summary>Reads a file that FAISS itself wrote (<c>faiss.write_index</c>), which has no checksum; checked as <see cref="Load"/> does otherwise.</summary>
    /// <inheritdoc cref="Load"/>
    public static VectorIndex LoadFromFaiss(string path, long? maxBytes = null) => IndexFile.Load(path, maxBytes, requireSeal: false);

    /// <summary>
    /// Writes the index: beside the target first, flushed to the disk, then renamed over it, so that a crash leaves the old file or the
    /// new one. FAISS reads it too: our seal of 64 bytes (length, SHA-256) stands behind what FAISS reads.
    /// </summary>
    /// <exception cref="FaissException">The folder cannot be written, or the disk is full.</exception>
    public void Save(string path) => Reading(() => IndexFile.Save(Handle, path, HasOwnIds));

    public void Dispose()
    {
        Handle.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static VectorIndex Own(nint native)
    {
        var handle = new IndexHandle(native);
        try
        {
            return InfoOf(handle).Kind switch
            {
                IndexKind.Flat => new FlatIndex(handle),
                IndexKind.Product => new ProductQuantizerIndex(handle),
                IndexKind.Residual => new ResidualQuantizerIndex(handle),
                IndexKind.IvfFlat => new IvfFlatIndex(handle),
                IndexKind.IvfProduct => new IvfPqIndex(handle),
                _ => new HnswIndex(handle),
            };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private protected static unsafe IndexHandle New(IndexSpec spec, string what)
    {
        RequireFaiss();
        Require(spec.Dim is >= 1 and <= MostDimensions, $"{what}: dimension {spec.Dim} must be between 1 and {MostDimensions:N0}");
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (byte* errorOut = error)
        {
            Check(rs_faiss_index_new(in spec, out nint index, errorOut, error.Length), error, what);
            return new IndexHandle(index);
        }
    }

    private protected static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new FaissException(otherwise);
        }
    }

    private protected static long Code(Metric metric) => metric == Metric.InnerProduct ? 1 : 0;

    private protected int Rows(int length, int width, string operation, string what)
    {
        Require(length % width == 0, $"{Name} {operation}: {length} values of {what} are not whole rows of dimension {width}");
        return length / width;
    }

    private protected string Name => Description;

    private protected unsafe void Set(IndexParameter parameter, long value, long most, string what)
    {
        Require(value >= 1 && value <= most, $"{Name}: {what} {value} must be between 1 and {most:N0}");
        Changing(() =>
        {
            Span<byte> error = stackalloc byte[ErrorBytes];
            fixed (byte* errorOut = error)
            {
                Check(rs_faiss_index_set(Handle, parameter, value, errorOut, error.Length), error, what);
            }
        });
    }

    private protected void Reading(Action body)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        _gate.EnterReadLock();
        try
        {
            body();
        }
        finally
        {
            _gate.ExitReadLock();
        }
    }

    private protected void Changing(Action body)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        _gate.EnterWriteLock();
        try
        {
            body();
        }
        finally
        {
            if (!Handle.IsClosed)
            {
                Refresh();
            }

            _gate.ExitWriteLock();
        }
    }

    private static unsafe IndexInfo InfoOf(IndexHandle handle)
    {
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (byte* errorOut = error)
        {
            Check(rs_faiss_index_info(handle, out var info, errorOut, error.Length), error, "index");
            return info;
        }
    }

    private void Refresh()
    {
        Info = InfoOf(Handle);
        Handle.Count(Info.Bytes);
    }
}
