using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Recsys.Torch.Native;

/// <summary>The native library's exports, by their own names. Nothing outside this namespace's callers sees a raw status.</summary>
internal static unsafe class Exports
{
    private const string Library = NativeLibraryResolver.LibraryName;

    static Exports() => NativeLibraryResolver.Register(typeof(Exports).Assembly);

    [DllImport(Library)] internal static extern int rs_abi_version();
    [DllImport(Library)] internal static extern long rs_last_error(byte* buffer, long capacity);
    [DllImport(Library)] internal static extern void rs_free(void* memory);
    [DllImport(Library)] internal static extern Status rs_op_find(byte* name, byte* overload, void** result);
    [DllImport(Library)] internal static extern Status rs_op_schema(void* op, byte* buffer, long capacity, long* length);
    [DllImport(Library)] internal static extern Status rs_op_call(void* op, Arg* arguments, int count, Out* results, int capacity, int* returned);

    [DllImport(Library)] internal static extern void rs_tensor_free(nint handle);
    [DllImport(Library)] internal static extern long rs_tensor_live();
    [DllImport(Library)] internal static extern Status rs_tensor_describe(nint handle, Description* description, long* sizes, long* strides, int capacity);
    [DllImport(Library)] internal static extern Status rs_tensor_data(nint handle, void** data);
    [DllImport(Library)] internal static extern Status rs_tensor_from_bytes(void* data, long bytes, long* sizes, int dim, int dtype, Out* result);
    [DllImport(Library)] internal static extern Status rs_tensor_to_bytes(nint handle, void* data, long bytes);
    [DllImport(Library)] internal static extern Status rs_tensor_set_bytes(nint handle, void* data, long bytes);
    [DllImport(Library)] internal static extern Status rs_tensor_item(nint handle, Out* result);
    [DllImport(Library)] internal static extern Status rs_tensor_alias(nint handle, Out* result);
    [DllImport(Library)] internal static extern Status rs_tensor_index(nint handle, Arg* arguments, int count, Out* result);
    [DllImport(Library)] internal static extern Status rs_tensor_index_put(nint handle, Arg* arguments, int count, Arg* value);

    [DllImport(Library)] internal static extern Status rs_mapping_new(int descriptor, long length, void** handle);
    [DllImport(Library)] internal static extern void rs_mapping_free(void* handle);
    [DllImport(Library)] internal static extern Status rs_mapping_tensor(void* handle, long offset, long* sizes, int dim, int dtype, Out* result);

    [DllImport(Library)] internal static extern Status rs_backward(nint* outputs, int outputCount, nint* gradients, int gradientCount, nint* inputs, int inputCount, int retain, int createGraph);
    [DllImport(Library)] internal static extern Status rs_grad(nint* outputs, int outputCount, nint* inputs, int inputCount, nint* gradients, int gradientCount, int retain, int createGraph, int allowUnused, Out* results);
    [DllImport(Library)] internal static extern Status rs_tensor_grad(nint handle, Out* result);
    [DllImport(Library)] internal static extern Status rs_tensor_set_grad(nint handle, nint gradient);
    [DllImport(Library)] internal static extern Status rs_tensor_set_requires_grad(nint handle, int on);
    [DllImport(Library)] internal static extern Status rs_tensor_retain_grad(nint handle);
    [DllImport(Library)] internal static extern int rs_grad_enabled();
    [DllImport(Library)] internal static extern void rs_set_grad_enabled(int on);
    [DllImport(Library)] internal static extern int rs_inference_enabled();
    [DllImport(Library)] internal static extern Status rs_inference_enter(int on, void** guard);
    [DllImport(Library)] internal static extern void rs_inference_leave(void* guard);

    [DllImport(Library)] internal static extern Status rs_autocast_get(int deviceType, int* enabled, int* dtype);
    [DllImport(Library)] internal static extern Status rs_autocast_set(int deviceType, int enabled, int dtype);
    [DllImport(Library)] internal static extern Status rs_autocast_nest(int step);

    [DllImport(Library)] internal static extern Status rs_manual_seed(ulong seed);
    [DllImport(Library)] internal static extern Status rs_generator_new(ulong seed, long device, void** result);
    [DllImport(Library)] internal static extern Status rs_generator_default(long device, void** result);
    [DllImport(Library)] internal static extern void rs_generator_free(nint handle);
    [DllImport(Library)] internal static extern Status rs_generator_seed(nint handle, ulong seed);
    [DllImport(Library)] internal static extern Status rs_generator_initial_seed(nint handle, ulong* seed);
    [DllImport(Library)] internal static extern Status rs_generator_get_state(nint handle, Out* result);
    [DllImport(Library)] internal static extern Status rs_generator_set_state(nint handle, nint state);
    [DllImport(Library)] internal static extern Status rs_fast_dropout(nint handle, double p, nint generator, Out* result);

    [DllImport(Library)] internal static extern Status rs_info(int what, byte* buffer, long capacity, long* length);
    [DllImport(Library)] internal static extern Status rs_features(int* bits);
    [DllImport(Library)] internal static extern Status rs_cuda_device_count(int* count);
    [DllImport(Library)] internal static extern Status rs_get_num_threads(int* threads);
    [DllImport(Library)] internal static extern Status rs_set_num_threads(int threads);
    [DllImport(Library)] internal static extern Status rs_memory_kept(long* bytes);
    [DllImport(Library)] internal static extern Status rs_memory_release();
}
