using System.Globalization;
using System.Runtime.InteropServices;

namespace Recsys.Mpi;

/// <summary>
/// The processes that one <c>mpirun</c> has started. A rank that dies, or that ends without <see cref="Leave"/>, ends them all. Calls
/// are collective: every rank makes the same ones in the same order, from one thread at a time.
/// </summary>
public sealed unsafe class MpiWorld
{
    private const string Remedy = "install Debian's MPICH on every machine (apt-get install mpich) and start with its mpirun";

    private static bool _joined;

    private MpiWorld(int rank, int size) => (Rank, Size) = (rank, size);

    /// <summary>Ranks that were started together; 1 where no mpirun started this process. Loads nothing.</summary>
    /// <exception cref="MpiException">Started by the mpirun of another MPI.</exception>
    public static int Launched => Number("OMPI_COMM_WORLD_SIZE") is null
        ? Number("PMI_SIZE") ?? 1
        : throw new MpiException($"This process was started by Open MPI, whose library does not fit; {Remedy}.");

    /// <summary>Those of them on this machine.</summary>
    public static int LaunchedHere => Number("MPI_LOCALNRANKS") ?? 1;

    /// <summary>From 0.</summary>
    public int Rank { get; }

    public int Size { get; }

    /// <summary>Joins the others: once a process. RECSYS_MPI names another library of MPICH's ABI.</summary>
    /// <exception cref="MpiException">The library is missing or sees other ranks than mpirun has started.</exception>
    public static MpiWorld Join()
    {
        string library = Environment.GetEnvironmentVariable("RECSYS_MPI") is { Length: > 0 } named ? named : NativeMethods.Library;

        // UCX, which carries Debian's MPICH, takes over SIGSEGV, which the runtime makes its null references from, and the allocator's
        // calls. It reads its settings while it loads.
        NativeMethods.setenv("UCX_ERROR_SIGNALS", "", 0);
        NativeMethods.setenv("UCX_MEM_EVENTS", "no", 0);
        if (!NativeLibrary.TryLoad(library, out nint handle))
        {
            throw new MpiException($"{Launched} ranks were started, but {library} does not load; {Remedy}.");
        }

        NativeLibrary.SetDllImportResolver(typeof(MpiWorld).Assembly, (name, _, _) => name == NativeMethods.Library ? handle : 0);
        NativeMethods.MPI_Init_thread(0, 0, NativeMethods.ThreadSerialized, out _);
        _joined = true;
        NativeMethods.MPI_Comm_rank(NativeMethods.World, out int rank);
        NativeMethods.MPI_Comm_size(NativeMethods.World, out int size);
        return size == Launched
            ? new MpiWorld(rank, size)
            : throw new MpiException($"mpirun has started {Launched} ranks, {library} sees {size}: they are of two MPIs; {Remedy}.");
    }

    /// <summary>Adds up what all ranks have, in place.</summary>
    /// <param name="address">The first of <paramref name="count"/> floats.</param>
    public void SumFloats(nint address, long count) => Sum(address, count, sizeof(float), NativeMethods.Float);

    /// <summary>Adds up what all ranks have, in place.</summary>
    /// <param name="address">The first of <paramref name="count"/> doubles.</param>
    public void SumDoubles(nint address, long count) => Sum(address, count, sizeof(double), NativeMethods.Double);

    /// <summary>Gives rank 0's bytes to all.</summary>
    public void Broadcast(nint address, long bytes) => InPieces(
        address, bytes, 1, (at, n) => NativeMethods.MPI_Bcast((void*)at, n, NativeMethods.Byte, 0, NativeMethods.World));

    /// <summary>Waits for all ranks. MPICH itself would keep a core busy, however long it takes.</summary>
    public void Barrier()
    {
        NativeMethods.MPI_Ibarrier(NativeMethods.World, out int request);
        var wait = default(SpinWait);
        while (NativeMethods.MPI_Test(ref request, out int done, NativeMethods.IgnoreStatus) == 0 && done == 0)
        {
            wait.SpinOnce(sleep1Threshold: 1000);
        }
    }

    /// <summary>Ends all ranks now, this one too, where any were joined; mpirun exits with this code.</summary>
    public static void Abort(int code)
    {
        if (_joined)
        {
            NativeMethods.MPI_Abort(NativeMethods.World, code);
        }
    }

    /// <summary>Waits for all ranks and leaves: the end of a run that went well.</summary>
    public void Leave()
    {
        Barrier();
        NativeMethods.MPI_Finalize();
        _joined = false;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : null;

    private void Sum(nint address, long count, int size, int type) => InPieces(
        address, count, size,
        (at, n) => NativeMethods.MPI_Allreduce(NativeMethods.InPlace, (void*)at, n, type, NativeMethods.Sum, NativeMethods.World));

    // MPI counts in 32 bits.
    private void InPieces(nint address, long count, int size, Action<nint, int> call)
    {
        const int Piece = 1 << 28;
        Barrier();
        for (long at = 0; at < count; at += Piece)
        {
            call(address + (nint)(at * size), (int)Math.Min(Piece, count - at));
        }
    }
}
