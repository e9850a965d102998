using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Recsys.Torch;

namespace Recsys.Faiss;

/// <summary>The exports of Platform/Native/faiss.cpp. Status 0 is success; otherwise the message is in the error buffer.</summary>
internal static unsafe partial class NativeMethods
{
    internal const int ErrorBytes = 1024;
    private const string Library = "recsys_native";

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeKMeansOptions
    {
        public long Dim;
        public long K;
        public long Iterations;
        public long Redo;
        public long Seed;
        public long MinPointsPerCentroid;
        public long MaxPointsPerCentroid;
        public int Spherical;
        public int PlusPlus;
    }

#pragma warning disable CA2255 // the resolver must stand before the first call, wherever it comes from
    [ModuleInitializer]
    internal static void Initialize() => NativeLibraryResolver.Register(typeof(NativeMethods).Assembly);
#pragma warning restore CA2255

    [LibraryImport(Library)]
    internal static partial int rs_faiss_kmeans(
        in NativeKMeansOptions options, float* x, long n, float* weights, float* initial, float* centroids, long* assignment,
        double* objective, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_flat_new(long dim, int innerProduct, nint* index, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_flat_add(FlatIndexHandle index, float* x, long n, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial int rs_faiss_flat_search(
        FlatIndexHandle index, float* queries, long n, long k, float* distances, long* labels, byte* error, long errorSize);

    [LibraryImport(Library)]
    internal static partial void rs_faiss_flat_delete(nint index);

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

/// <summary>Owns one native index; released exactly once, also when the owner forgets it.</summary>
internal sealed class FlatIndexHandle : SafeHandle
{
    public FlatIndexHandle(nint index)
        : base(0, ownsHandle: true) => SetHandle(index);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.rs_faiss_flat_delete(handle);
        return true;
    }
}
