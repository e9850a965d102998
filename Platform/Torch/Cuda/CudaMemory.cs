using Recsys.Torch.Native;
using static Recsys.Torch.Native.CudaExports;

namespace Recsys.Torch;

public static partial class torch
{
    public static unsafe partial class cuda
    {
        /// <summary>Waits for all work on a device.</summary>
        public static void synchronize(int device_index = 0) => Check.Ok(rs_cuda_synchronize(device_index), "cuda.synchronize");

        public static Generator manual_seed(long seed) => torch.manual_seed(seed);

        public static Generator manual_seed_all(long seed) => torch.manual_seed(seed);
    }
}

/// <summary>What libtorch's caching allocator holds on a device. TorchSharp has no such type.</summary>
/// <param name="Allocated">Bytes in tensors.</param>
/// <param name="PeakAllocated">The most since the start or <see cref="ResetPeak"/>.</param>
/// <param name="Reserved">Bytes taken from the device, in tensors or kept for the next.</param>
/// <param name="PeakReserved">The most of them.</param>
/// <param name="Allocations">Blocks in use.</param>
/// <param name="Retries">Times the device was full and kept blocks had to be given back.</param>
/// <param name="Failures">Times that did not help.</param>
public sealed record CudaMemory(long Allocated, long PeakAllocated, long Reserved, long PeakReserved, long Allocations, long Retries, long Failures)
{
    /// <exception cref="TorchException">Unsupported where libtorch has no CUDA.</exception>
    public static unsafe CudaMemory Of(int device = 0)
    {
        long* n = stackalloc long[7];
        Check.Ok(rs_cuda_memory(device, n), "CudaMemory");
        return new(n[0], n[1], n[2], n[3], n[4], n[5], n[6]);
    }

    public static void ResetPeak(int device = 0) => Check.Ok(rs_cuda_reset_peak(device), "CudaMemory.ResetPeak");

    /// <summary>Gives kept blocks that no tensor uses back to the device.</summary>
    public static void EmptyCache() => Check.Ok(rs_cuda_empty_cache(), "CudaMemory.EmptyCache");
}
