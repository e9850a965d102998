using System.Reflection;
using System.Runtime.InteropServices;

namespace Recsys.Torch.Kernels;

/// <summary>
/// The C++ loops beside this file: raw pointers to dense CPU memory, checked here before they are passed. Their OpenMP is libtorch's own:
/// libtorch is loaded first, and its libgomp answers to the name that ours asks for, so that there is one pool of threads.
/// </summary>
internal static partial class KernelLibrary
{
    private const string Name = "librecsys_kernels.so";

    static KernelLibrary()
    {
        _ = get_num_threads(); // libtorch first
        NativeLibrary.SetDllImportResolver(typeof(KernelLibrary).Assembly, (name, assembly, _) => name == Name ? Open(assembly) : 0);
    }

    [LibraryImport(Name, EntryPoint = "rs_attention")]
    internal static partial void Attention(in AttentionCall call, AttentionPart[] parts, nint output, nint logSums);

    [LibraryImport(Name, EntryPoint = "rs_attention_backward")]
    internal static partial void AttentionBackward(
        in AttentionCall call, AttentionPart[] parts, nint gradient, nint logSums, AttentionPart[] towards);

    [LibraryImport(Name, EntryPoint = "rs_add_dropout_norm")]
    internal static partial void AddDropoutNorm(in NormCall call, nint residual, nint branch, nint total, nint normed, nint moments);

    [LibraryImport(Name, EntryPoint = "rs_add_dropout_norm_backward")]
    internal static partial void AddDropoutNormBackward(
        in NormCall call, nint total, nint moments, nint totalGradient, nint normedGradient, nint towardsResidual, nint towardsBranch,
        nint sums);

    [LibraryImport(Name, EntryPoint = "rs_linear_here")]
    internal static partial int HasLinear();

    [LibraryImport(Name, EntryPoint = "rs_linear")]
    internal static partial void Linear(in LinearCall call, nint output);

    [LibraryImport(Name, EntryPoint = "rs_linear_backward")]
    internal static partial void LinearBackward(in LinearCall call, nint gradient, nint towardsInput, nint towardsWeight, nint towardsBias);

    [LibraryImport(Name, EntryPoint = "rs_adamw")]
    internal static partial void AdamW(AdamWTensor[] tensors, long count);

    [LibraryImport(Name, EntryPoint = "rs_residual_codes")]
    internal static partial void ResidualCodes(in ResidualCodesCall call);

    [LibraryImport(Name, EntryPoint = "rs_greedy_codes_here")]
    internal static partial int HasGreedyCodes();

    [LibraryImport(Name, EntryPoint = "rs_pack_codes")]
    internal static partial void PackCodes(nint codes, long total, long width, nint packed);

    [LibraryImport(Name, EntryPoint = "rs_greedy_codes")]
    internal static partial void GreedyCodes(in GreedyCodesCall call);

    [LibraryImport(Name, EntryPoint = "rs_pack_panels")]
    internal static partial void PackPanels(nint weight, long outputs, long inputs, nint panels);

    [LibraryImport(Name, EntryPoint = "rs_pack_half")]
    internal static partial void PackHalf(nint weight, long outputs, long inputs, nint panels);

    [LibraryImport(Name, EntryPoint = "rs_blocks")]
    internal static partial void Blocks(in BlocksCall call, nint x);

    [LibraryImport(Name, EntryPoint = "rs_log_probabilities")]
    internal static partial void LogProbabilities(nint x, long rows, long inputs, nint panels, long outputs, nint output, long half);

    [LibraryImport(Name, EntryPoint = "rs_rank")]
    internal static partial void Rank(nint x, long rows, long dim, nint table, int type, long items, nint output);

    [LibraryImport(Name, EntryPoint = "rs_products")]
    internal static unsafe partial void Products(float* x, long dim, nint table, int type, int* rows, long count, float* output);

    /// <summary>The element type's number there.</summary>
    internal static int TypeOf(Tensor tensor) => tensor.dtype == ScalarType.BFloat16 ? 1 : 0;

    /// <summary>Whether the loops take it: dense rows of float32 or bf16 on a CPU.</summary>
    internal static bool Takes(Tensor tensor) =>
        tensor.device.type == DeviceType.CPU && tensor.dtype is ScalarType.Float32 or ScalarType.BFloat16;

    private static nint Open(Assembly assembly)
    {
        string path = Path.Combine(Path.GetDirectoryName(assembly.Location)!, Name);
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException fault)
        {
            throw new DllNotFoundException($"'{path}' does not load: {fault.Message} The build makes it with g++.", fault);
        }
    }
}
