using System.Runtime.InteropServices;

namespace Recsys.Faiss.Native;

/// <summary>The exports of the C++ beside this file. Status 0 is success; else rf_last_error has the thread's message.</summary>
internal static unsafe partial class NativeMethods
{
    internal const string Library = "recsys_faiss";

    [LibraryImport(Library)]
    internal static partial int rf_kmeans(
        float* x, long n, long dim, long k, int iterations, int restarts, long seed, int seedPlusPlus,
        delegate* unmanaged<nint, float*, long, float*, long, long, long*, int> nearest, nint context, float* centroids,
        long* assignment, out double objective);

    [LibraryImport(Library)]
    internal static partial int rf_rq_train(
        long dim, int* bits, long levels, float* x, long n, int beam, int iterations, int seed, out nint quantizer);

    [LibraryImport(Library)]
    internal static partial int rf_rq_new(long dim, int* bits, long levels, float* codebooks, out nint quantizer);

    [LibraryImport(Library)]
    internal static partial int rf_rq_codebooks(QuantizerHandle quantizer, float* codebooks);

    [LibraryImport(Library)]
    internal static partial int rf_rq_encode(QuantizerHandle quantizer, float* x, long n, int beam, int* codes);

    [LibraryImport(Library)]
    internal static partial void rf_rq_free(nint quantizer);

    [LibraryImport(Library)]
    private static partial nint rf_last_error();

    /// <exception cref="FaissException">The call before, on this thread, was not successful.</exception>
    internal static void Check(int status, string operation)
    {
        if (status != 0)
        {
            throw FaissException.Fault(operation, LastError());
        }
    }

    /// <summary>The message of this thread's last failing call.</summary>
    internal static string LastError() => Marshal.PtrToStringUTF8(rf_last_error()) ?? "no message";
}
