using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Mixed precision for the calling thread while it lives: matrix products and convolutions run in the lower precision, what needs
/// float32 keeps it, by libtorch's own lists. Weights are cast once per outermost scope. TorchSharp has no such scope.
/// </summary>
public sealed unsafe class Autocast : IDisposable
{
    private readonly DeviceType _device;
    private readonly int _enabledBefore;
    private readonly int _dtypeBefore;
    private bool _left;

    private Autocast(DeviceType device, ScalarType dtype, bool enabled)
    {
        _device = device;
        int on, type;
        Check.Ok(rs_autocast_get((int)device, &on, &type), "autocast");
        (_enabledBefore, _dtypeBefore) = (on, type);
        Check.Ok(rs_autocast_set((int)device, enabled ? 1 : 0, (int)dtype), "autocast");
        Check.Ok(rs_autocast_nest(1), "autocast");
    }

    /// <summary>Autocast on the CPU. libtorch's CPU lists are made for bfloat16 alone.</summary>
    public static Autocast Cpu(ScalarType dtype = ScalarType.BFloat16, bool enabled = true) =>
        dtype == ScalarType.BFloat16 ? new(DeviceType.CPU, dtype, enabled)
        : throw new ArgumentException($"Autocast on the CPU takes BFloat16, not {dtype}.", nameof(dtype));

    public static Autocast Cuda(ScalarType dtype = ScalarType.BFloat16, bool enabled = true) => new(DeviceType.CUDA, dtype, enabled);

    public static Autocast On(Device device, ScalarType dtype = ScalarType.BFloat16, bool enabled = true) =>
        device.type == DeviceType.CPU ? Cpu(dtype, enabled) : Cuda(dtype, enabled);

    /// <summary>Whether the calling thread is inside an enabled scope of this device type.</summary>
    public static bool IsEnabled(DeviceType device = DeviceType.CPU)
    {
        int on, type;
        Check.Ok(rs_autocast_get((int)device, &on, &type), "autocast");
        return on != 0;
    }

    /// <summary>The calling thread's state, for <see cref="Enter"/>.</summary>
    internal static (DeviceType Device, ScalarType Dtype, bool On) StateOf(DeviceType device)
    {
        int on, type;
        Check.Ok(rs_autocast_get((int)device, &on, &type), "autocast");
        return (device, (ScalarType)type, on != 0);
    }

    internal static Autocast Enter((DeviceType Device, ScalarType Dtype, bool On) state) => new(state.Device, state.Dtype, state.On);

    public void Dispose()
    {
        if (_left)
        {
            return;
        }

        _left = true;
        Check.Ok(rs_autocast_nest(-1), "autocast");
        Check.Ok(rs_autocast_set((int)_device, _enabledBefore, _dtypeBefore), "autocast");
    }
}
