using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Recsys.Torch;

namespace Recsys.Faiss.Native;

/// <summary>The exports of Platform/Native/faiss_*.cpp. Status 0 is success; otherwise the message is in the error buffer.</summary>
internal static unsafe partial class NativeMethods
{
    internal const int ErrorBytes = 1024;
    private const string Library = "recsys_native";
    private static readonly Lazy<bool> Available = new(() => rs_faiss_available() != 0);

#pragma warning disable CA2255 // the resolver must stand before the first call, wherever it comes from
    [ModuleInitializer]
    internal static void Initialize() => NativeLibraryResolver.Register(typeof(NativeMethods).Assembly);
#pragma warning restore CA2255

    [LibraryImport(Library)]
    internal static partial int rs_faiss_available();

    [LibraryImport(Library)]
    internal static partial int rs_faiss_kmeans(
        in NativeKMeansOptions options, float* x, long n, float* weights, float* initial, float* centroids, long* assignment,
        double* objective, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_new(in IndexSpec spec, out nint index, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial void rs_faiss_index_delete(nint index);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_info(IndexHandle index, out IndexInfo info, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_train(IndexHandle index, float* x, long n, int seed, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_add(
        IndexHandle index, float* x, long* ids, long n, int oneThread, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_search(
        IndexHandle index, float* queries, long n, long k, float* distances, long* labels, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_range(
        IndexHandle index, float* queries, long n, float radius, out nint answer, out long total, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_range_copy(
        nint answer, int largestFirst, long* limits, float* distances, long* labels, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial void rs_faiss_range_delete(nint answer);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_remove(IndexHandle index, long* labels, long n, out long removed, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_set(IndexHandle index, IndexParameter what, long value, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_encode(IndexHandle index, float* x, long n, byte* codes, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_decode(IndexHandle index, byte* codes, long n, float* x, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_codebooks(IndexHandle index, float* codebooks, out long values, byte* error, long errorSize);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rs_faiss_index_write(IndexHandle index, string path, byte* error, long errorSize);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rs_faiss_flush_folder(string path, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_index_read(byte* bytes, long length, int ownIds, out nint index, byte* error, long errorSize);

    /// <exception cref="FaissException">The native library was built without FAISS.</exception>
    internal static void RequireFaiss()
    {
        if (!Available.Value)
        {
            throw new FaissException("the native library was built without FAISS; install Debian's libfaiss-dev and run ./recsys, which builds it again");
        }
    }

    internal static void Check(int status, ReadOnlySpan<byte> error, string operation)
    {
        if (status == 0)
        {
            return;
        }

        int end = error.IndexOf((byte)0);
        string message = Encoding.UTF8.GetString(end < 0 ? error : error[..end]);
        throw new FaissException($"{operation}: {message}");
    }
}
