using System.Runtime.InteropServices;

namespace Recsys.Torch.Native;

/// <summary>The exports of Platform/Native/cuda.cpp. Without a CUDA libtorch each fails as unsupported.</summary>
internal static unsafe class CudaExports
{
    private const string Library = NativeLibraryResolver.LibraryName;

    static CudaExports() => NativeLibraryResolver.Register(typeof(CudaExports).Assembly);

    [DllImport(Library)] internal static extern Status rs_cuda_synchronize(int device);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_new(int device, int highPriority, void** stream);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_current(int device, void** stream);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_set(nint stream);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_synchronize(nint stream);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_query(nint stream, int* done);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_free(nint stream);
    [DllImport(Library)] internal static extern Status rs_cuda_stream_uses(nint stream, nint tensor);
    [DllImport(Library)] internal static extern Status rs_cuda_event_new(int timing, void** created);
    [DllImport(Library)] internal static extern Status rs_cuda_event_record(nint recorded, nint stream);
    [DllImport(Library)] internal static extern Status rs_cuda_event_block(nint waited, nint stream);
    [DllImport(Library)] internal static extern Status rs_cuda_event_synchronize(nint waited);
    [DllImport(Library)] internal static extern Status rs_cuda_event_elapsed(nint from, nint to, double* milliseconds);
    [DllImport(Library)] internal static extern Status rs_cuda_event_free(nint freed);
    [DllImport(Library)] internal static extern Status rs_cuda_memory(int device, long* numbers);
    [DllImport(Library)] internal static extern Status rs_cuda_reset_peak(int device);
    [DllImport(Library)] internal static extern Status rs_cuda_empty_cache();
    [DllImport(Library)] internal static extern Status rs_cuda_graph_new(int device, void** graph);
    [DllImport(Library)] internal static extern Status rs_cuda_graph_begin(nint graph);
    [DllImport(Library)] internal static extern Status rs_cuda_graph_end(nint graph);
    [DllImport(Library)] internal static extern Status rs_cuda_graph_replay(nint graph);
    [DllImport(Library)] internal static extern Status rs_cuda_graph_free(nint graph);
}
