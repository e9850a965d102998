using System.Globalization;

namespace Recsys.Torch;

/// <summary>The choice of a device, made once, where a program begins.</summary>
public static class Devices
{
    /// <summary>The device of a name: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    /// <exception cref="TorchException">Another name, or a device that is not here.</exception>
    public static Device Of(string name)
    {
        int index = 0;
        bool numbered = name.StartsWith("cuda:", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out index);
        if (name != "cpu" && name != "cuda" && !numbered)
        {
            throw new TorchException($"The device is '{name}'; allowed are cpu, cuda and cuda:N.");
        }

        if (name == "cpu")
        {
            return CPU;
        }

        if (!cuda.is_available())
        {
            throw new TorchException(
                $"The device is '{name}', but this build of libtorch finds no GPU. Install NVIDIA's driver (nvidia-smi shows whether it "
                + "works) and build with -p:TorchDevice=cuda (docs/engine.md), or take cpu.");
        }

        return index < cuda.device_count()
            ? torch.device(DeviceType.CUDA, index)
            : throw new TorchException($"The device is '{name}'; this machine has {cuda.device_count()} GPUs, from cuda:0 on.");
    }

    /// <summary>Whether bf16 products are fast there: on every CUDA device of the last years, and on CPUs with AVX512-BF16 or
    /// AMX.</summary>
    public static bool HasFastBFloat16(this Device device) => device.type == DeviceType.CUDA || CpuHasBFloat16.Value;

    private static readonly Lazy<bool> CpuHasBFloat16 = new(() =>
        File.Exists("/proc/cpuinfo")
            && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal)) is { } flags
        && (flags.Contains(" avx512_bf16", StringComparison.Ordinal) || flags.Contains(" amx_bf16", StringComparison.Ordinal)));
}
