using Recsys.Torch.Native;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Operators that libtorch has no float16 kernel for on a CPU (most, before 2.1) are computed in float32 and rounded: float16 is then
/// for storage, and what comes out is what a kernel would give or nearer. In-place operators stay refused.
/// </summary>
internal static unsafe class HalfPrecision
{
    internal static bool IsMissing(TorchException failure) => failure.Message.Contains("not implemented for 'Half'", StringComparison.Ordinal);

    internal static bool Widen(string name, ReadOnlySpan<Value> arguments, Out* results, int capacity)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        if ((dot < 0 ? name : name[..dot]).EndsWith('_'))
        {
            return false;
        }

        using var scope = NewDisposeScope();
        var wide = new Value[arguments.Length];
        bool any = false;
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = arguments[i].Reference switch
            {
                Tensor tensor => Wide(tensor, ref any),
                Tensor?[] list => Wide(list, ref any),
                _ => arguments[i],
            };
        }

        if (!any)
        {
            return false; // nothing to widen: it would fail the same way
        }

        Dispatcher.Invoke(name, wide, results, capacity);
        for (int i = 0; i < capacity; i++)
        {
            if (results[i].Kind == Kind.Tensor)
            {
                var result = Tensor.Own(results[i]);
                var narrow = result.dtype == ScalarType.Float32 ? result.to(ScalarType.Float16) : result;
                results[i].Bytes = narrow.numel() * narrow.element_size();
                results[i].Payload = narrow.DecoupleFromNativeHandle();
            }
        }

        return true;
    }

    private static Tensor Wide(Tensor tensor, ref bool any)
    {
        bool half = tensor.dtype == ScalarType.Float16 && tensor.is_cpu();
        any |= half;
        return half ? tensor.to(ScalarType.Float32) : tensor;
    }

    private static Tensor?[] Wide(Tensor?[] list, ref bool any)
    {
        var wide = new Tensor?[list.Length];
        for (int i = 0; i < list.Length; i++)
        {
            wide[i] = list[i] is { } tensor ? Wide(tensor, ref any) : null;
        }

        return wide;
    }
}
