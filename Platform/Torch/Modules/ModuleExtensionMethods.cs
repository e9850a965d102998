using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Moving a module to another device or floating-point dtype. The parameter objects stay the same, so that optimisers made before
/// keep working, and a parameter that two modules share stays shared; integer buffers keep their dtype.
/// </summary>
public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, ScalarType type, bool non_blocking = false)
        where T : nn.Module => Move(module, type, null, non_blocking);

    public static T to<T>(this T module, Device device, bool non_blocking = false)
        where T : nn.Module => Move(module, null, device, non_blocking);

    public static T to<T>(this T module, Device device, ScalarType type, bool non_blocking = false)
        where T : nn.Module => Move(module, type, device, non_blocking);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : nn.Module => Move(module, null, new Device(deviceType, deviceIndex), non_blocking);

    public static T to<T>(this T module, string device, bool non_blocking = false)
        where T : nn.Module => Move(module, null, new Device(device), non_blocking);

    public static T to<T>(this T module, Tensor other, bool non_blocking = false)
        where T : nn.Module => Move(module, other.dtype, other.device, non_blocking);

    public static T cpu<T>(this T module, bool non_blocking = false)
        where T : nn.Module => Move(module, null, CPU, non_blocking);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false)
        where T : nn.Module => Move(module, null, new Device(DeviceType.CUDA, deviceIndex), non_blocking);

    public static T half<T>(this T module, bool non_blocking = false)
        where T : nn.Module => module.to(ScalarType.Float16, non_blocking);

    public static T bfloat16<T>(this T module, bool non_blocking = false)
        where T : nn.Module => module.to(ScalarType.BFloat16, non_blocking);

    public static T @float<T>(this T module, bool non_blocking = false)
        where T : nn.Module => module.to(ScalarType.Float32, non_blocking);

    public static T @double<T>(this T module, bool non_blocking = false)
        where T : nn.Module => module.to(ScalarType.Float64, non_blocking);

    private static T Move<T>(T module, ScalarType? type, Device? device, bool non_blocking)
        where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(module);
        if (type is { } wanted && !is_floating_point(wanted))
        {
            throw new ArgumentException($"a module moves to a floating-point dtype, not {wanted}");
        }

        using (no_grad())
        using (NewDisposeScope())
        {
            foreach (Tensor tensor in module.parameters().Concat(module.buffers()))
            {
                ScalarType target = type is { } t && tensor.is_floating_point() ? t : tensor.dtype;
                Device place = device ?? tensor.device;
                Tensor? gradient = tensor is Parameter ? tensor.grad : null;
                if (target == tensor.dtype && place.Equals(tensor.device))
                {
                    continue;
                }

                tensor.grad = null;
                Dispatcher.Run("set_data", tensor, tensor.detach().to(target, place, non_blocking: non_blocking));
                if (gradient is not null)
                {
                    tensor.grad = gradient.to(target, place, non_blocking: non_blocking);
                }
            }
        }

        return module;
    }
}
