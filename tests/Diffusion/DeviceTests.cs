using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;

namespace Recsys.Diffusion.Tests;

/// <summary>Models on a device. The meta device stands for one that is not the CPU.</summary>
public sealed class DeviceTests
{
    [Fact]
    public void Every_pass_is_compared_and_the_cpu_is_like_itself()
    {
        var checks = DiffusionDeviceChecks.Run(CPU).ToList();
        Assert.Equal(["U-Net with condition, float32", "U-Net with condition, bf16"], checks.Select(check => check.Name));
        Assert.All(checks, check => Assert.InRange(check.Error, 0, check.Name.Contains("bf16") ? check.Bound : 1e-5));
    }

    [Fact]
    public void The_denoiser_moves_with_its_conditioner()
    {
        using var scope = NewDisposeScope();
        using var network = new ConditionalDenoiser(new Recipe { Codec = "identity", Sketch = true }, [4, 4], 8);
        using (NewDisposeScope())
        {
            network.MoveTo(META);
        }

        Assert.Equal(DeviceType.META, network.Device.type);
        ModuleFields.AreAllOnMeta(network);
    }
}
