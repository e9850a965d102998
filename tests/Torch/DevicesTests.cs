using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public sealed class DevicesTests
{
    [Fact]
    public void Cpu_is_the_processor() => Assert.Equal(DeviceType.CPU, Devices.Of("cpu").type);

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("CPU")]
    [InlineData("cpu:0")]
    [InlineData("cuda:")]
    [InlineData("cuda:x")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:+1")]
    [InlineData("cuda:99999999999")]
    public void Another_name_is_refused_with_what_is_allowed(string name) =>
        Refused($"'{name}'; allowed are cpu, cuda and cuda:N", () => Devices.Of(name));

    [Theory]
    [InlineData("cuda")]
    [InlineData("cuda:0")]
    [InlineData("cuda:7000")]
    public void A_gpu_is_given_where_it_is_and_refused_with_what_to_do_where_it_is_not(string name)
    {
        if (cuda.is_available() && name != "cuda:7000")
        {
            Assert.Equal((DeviceType.CUDA, 0), (Devices.Of(name).type, Devices.Of(name).index));
            return;
        }

        Refused($"'{name}'", () => Devices.Of(name));
        if (cuda.is_available())
        {
            Refused("GPUs, from cuda:0 on", () => Devices.Of(name));
            return;
        }

        Refused("Install NVIDIA's driver", () => Devices.Of(name));
        Refused("build with -p:TorchDevice=cuda", () => Devices.Of(name));
    }
}
