namespace Recsys.Torch;

/// <summary>TorchSharp has no autocast: the scope changes nothing, and everything runs in the dtype of its weights.</summary>
public sealed class Autocast : IDisposable
{
    private Autocast()
    {
    }

    public static Autocast Cpu(ScalarType dtype = ScalarType.BFloat16, bool enabled = true) => new();

    public static Autocast Cuda(ScalarType dtype = ScalarType.BFloat16, bool enabled = true) => new();

    public static Autocast On(Device device, ScalarType dtype = ScalarType.BFloat16, bool enabled = true) => new();

    public static bool IsEnabled(DeviceType device = DeviceType.CPU) => false;

    public void Dispose()
    {
    }
}
