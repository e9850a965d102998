using System.Text;
using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

/// <summary>What the native library was built against and what this machine can do.</summary>
public static unsafe class TorchRuntime
{
    public static string Version => Info(0);

    public static string BuildConfiguration => Info(1);

    public static string ParallelInfo => Info(2);

    public static bool HasCuda => Has(1);

    public static bool HasOneDnn => Has(2);

    public static bool HasOpenMP => Has(4);

    public static bool HasMkl => Has(8);

    /// <summary>The CPU multiplies bf16 natively, so autocast is a gain and not a loss.</summary>
    public static bool CpuHasBFloat16 => Has(16);

    public static bool HasLapack => Has(32);

    /// <summary>
    /// The CPU's operators give the same bytes on any number of threads. Not where libtorch carries its own MKL or oneDNN, nor with
    /// RECSYS_SHARES=0 in the environment.
    /// </summary>
    public static bool IsThreadInvariant => Has(64);

    /// <summary>Bytes of freed large tensors on the CPU that wait for their next owner; at most 1 GiB, and an eighth of the memory that was free when the process began.</summary>
    public static long KeptBytes
    {
        get
        {
            long bytes;
            Check.Ok(rs_memory_kept(&bytes), "memory_kept");
            return bytes;
        }
    }

    /// <summary>Gives the memory behind <see cref="KeptBytes"/> back to the system, for example once a training has ended in a process that goes on to serve.</summary>
    public static void ReleaseKeptMemory() => Check.Ok(rs_memory_release(), "memory_release");

    private static bool Has(int bit)
    {
        int bits;
        Check.Ok(rs_features(&bits), "features");
        return (bits & bit) != 0;
    }

    private static string Info(int what)
    {
        long length;
        Check.Ok(rs_info(what, null, 0, &length), "info");
        var bytes = new byte[length];
        fixed (byte* p = bytes)
        {
            Check.Ok(rs_info(what, p, length, &length), "info");
        }

        return Encoding.UTF8.GetString(bytes);
    }
}

public static unsafe partial class torch
{
    public static string __version__ => TorchRuntime.Version;

    public static int get_num_threads()
    {
        int n;
        Check.Ok(rs_get_num_threads(&n), "get_num_threads");
        return n;
    }

    /// <summary>Threads of one operator, for operators called from this thread.</summary>
    public static void set_num_threads(int num) => Check.Ok(rs_set_num_threads(num), "set_num_threads");
}
