using System.Runtime.InteropServices;

namespace Recsys.Mpi;

/// <summary>
/// The few calls of MPICH that training needs. Handles are MPICH's numbers, the same in every library of its ABI (since 3.1); Open MPI's
/// are addresses. An error ends all ranks: MPI_ERRORS_ARE_FATAL is the default, so what is returned is not looked at.
/// </summary>
internal static unsafe partial class NativeMethods
{
    internal const string Library = "libmpich.so.12";
    internal const int World = 0x44000000, Byte = 0x4c00010d, Float = 0x4c00040a, Double = 0x4c00080b, Sum = 0x58000003;
    internal const int ThreadSerialized = 2;
    internal const nint InPlace = -1, IgnoreStatus = 1;

    [LibraryImport(Library)]
    internal static partial int MPI_Init_thread(nint argc, nint argv, int required, out int provided);

    [LibraryImport(Library)]
    internal static partial int MPI_Comm_rank(int comm, out int rank);

    [LibraryImport(Library)]
    internal static partial int MPI_Comm_size(int comm, out int size);

    [LibraryImport(Library)]
    internal static partial int MPI_Allreduce(nint send, void* receive, int count, int type, int operation, int comm);

    [LibraryImport(Library)]
    internal static partial int MPI_Bcast(void* buffer, int count, int type, int root, int comm);

    [LibraryImport(Library)]
    internal static partial int MPI_Ibarrier(int comm, out int request);

    [LibraryImport(Library)]
    internal static partial int MPI_Test(ref int request, out int done, nint status);

    [LibraryImport(Library)]
    internal static partial int MPI_Abort(int comm, int code);

    [LibraryImport(Library)]
    internal static partial int MPI_Finalize();

    /// <summary>The C library's: the runtime's own never reaches native code.</summary>
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int setenv(string name, string value, int overwrite);
}
