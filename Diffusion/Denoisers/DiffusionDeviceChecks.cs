using Recsys.Diffusion.Recipes;

namespace Recsys.Diffusion.Denoisers;

/// <summary>The denoiser with its conditioner on a device beside the CPU.</summary>
public static class DiffusionDeviceChecks
{
    private const int Pictures = 8, Side = 16;

    /// <param name="device">Any; on the CPU itself the differences are 0.</param>
    public static IEnumerable<DeviceCheck> Run(Device device)
    {
        foreach (bool bfloat16 in (bool[])[false, true])
        {
            yield return DeviceCheck.Of($"U-Net with condition, {(bfloat16 ? "bf16" : "float32")}", Make, Predict, device, bfloat16);
        }
    }

    // Layers that start at zero would hide everything before them.
    private static ConditionalDenoiser Make()
    {
        using var _ = no_grad();
        using var generator = new Generator(23);
        var denoiser = new UNetOptions { Channels = 32, Multipliers = [1, 2], Blocks = 1 };
        var network = new ConditionalDenoiser(new Recipe { Denoiser = denoiser, Codec = "identity" }, [16, 16], Side);
        foreach (var parameter in network.parameters().Where(parameter => parameter.dim() > 1))
        {
            parameter.normal_(0, 1 / Math.Sqrt(parameter.numel() / parameter.size(0)), generator);
        }

        return network;
    }

    private static Tensor Predict(ConditionalDenoiser network, Device device)
    {
        using var generator = new Generator(29);
        var x = randn([Pictures, 3, Side, Side], generator: generator).to(device);
        var time = linspace(0, 999, Pictures, ScalarType.Float32, device);
        SemanticId[] ids = [.. Enumerable.Range(0, Pictures).Select(i => i == 0 ? default : new SemanticId([(ushort)i, (ushort)(15 - i)]))];
        return network.Denoiser.Predict(x, time, network.Conditioner.Encode(ids));
    }
}
