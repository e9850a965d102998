using System.Runtime.InteropServices;
using Recsys.Torch.Native;

namespace Recsys.Torch.Distributed;

/// <summary>How a wait ended. Kept in step with recsys::Outcome.</summary>
internal enum Outcome
{
    Done = 0,
    Aborted = 1,
    TimedOut = 2,
    Failed = 3,
}

/// <summary>The exports of collectives.cpp and reducer.cpp.</summary>
internal static unsafe class NativeMethods
{
    private const string Library = NativeLibraryResolver.LibraryName;

    static NativeMethods() => NativeLibraryResolver.Register(typeof(NativeMethods).Assembly);

    [DllImport(Library)] internal static extern int rs_dist_backends();
    [DllImport(Library)] internal static extern Status rs_store_new(byte* host, int port, int isServer, long timeout, int* bound, nint* result);
    [DllImport(Library)] internal static extern Status rs_store_prefix(nint store, byte* prefix, nint* result);
    [DllImport(Library)] internal static extern void rs_store_free(nint store);
    [DllImport(Library)] internal static extern Status rs_store_set(nint store, byte* key, byte* data, long length);
    [DllImport(Library)] internal static extern Status rs_store_get(nint store, byte* key, byte* data, long capacity, long* length);
    [DllImport(Library)] internal static extern Status rs_store_add(nint store, byte* key, long amount, long* sum);

    [DllImport(Library)] internal static extern Status rs_group_new(nint store, byte* backend, int rank, int size, long timeout, byte* address, int isInterface, nint* result);
    [DllImport(Library)] internal static extern Status rs_group_abort(nint group, byte* reason);
    [DllImport(Library)] internal static extern void rs_group_free(nint group);
    [DllImport(Library)] internal static extern Status rs_group_all_reduce(nint group, nint tensor, int op, nint* work);
    [DllImport(Library)] internal static extern Status rs_group_broadcast(nint group, nint tensor, int source, nint* work);
    [DllImport(Library)] internal static extern Status rs_group_all_gather(nint group, nint* outputs, int count, nint input, nint* work);
    [DllImport(Library)] internal static extern Status rs_group_reduce_scatter(nint group, nint output, nint* inputs, int count, int op, nint* work);
    [DllImport(Library)] internal static extern Status rs_group_barrier(nint group, nint* work);

    [DllImport(Library)] internal static extern Status rs_work_wait(nint work, long timeout, Outcome* outcome);
    [DllImport(Library)] internal static extern Status rs_work_done(nint work, int* done);
    [DllImport(Library)] internal static extern void rs_work_free(nint work);

    [DllImport(Library)] internal static extern Status rs_reducer_new(nint group, nint* parameters, int count, long bucketBytes, int overlap, nint* result);
    [DllImport(Library)] internal static extern Status rs_reducer_prepare(nint reducer);
    [DllImport(Library)] internal static extern Status rs_reducer_finish(nint reducer, long timeout, double* sums, int count, Outcome* outcome);
    [DllImport(Library)] internal static extern Status rs_reducer_buckets(nint reducer, int* count);
    [DllImport(Library)] internal static extern void rs_reducer_free(nint reducer);

    /// <summary>A refusal of the native library as this area's own error.</summary>
    internal static void Ok(Status status, string what)
    {
        if (status != Status.Ok)
        {
            var inner = Check.Failure(status, what, null);
            var fault = status == Status.Argument ? DistributedFault.Configuration
                : inner.Message.Contains("imeout", StringComparison.Ordinal) || inner.Message.Contains("timed out", StringComparison.Ordinal) ? DistributedFault.Timeout
                : DistributedFault.Backend;
            throw new DistributedException(fault, inner.Message, null, inner);
        }
    }

    /// <summary>UTF-8 with a closing zero.</summary>
    internal static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text + '\0');
}
