namespace Recsys.Torch.Tests;

/// <summary>The comparison of a device with the CPU, run on the CPU itself.</summary>
public sealed class DeviceCheckTests
{
    [Fact]
    public void The_same_device_differs_by_nothing()
    {
        var check = Check((layer, on) => layer.Apply(Input(on)));
        Assert.True(check.Passed, check.ToString());
        Assert.InRange(check.Error, 0, 1e-6);
    }

    [Fact]
    public void A_wrong_output_is_found()
    {
        int calls = 0;
        var check = Check((layer, on) => layer.Apply(Input(on)) + (calls++ == 0 ? 0 : .1));
        Assert.False(check.Passed);
    }

    [Fact]
    public void A_wrong_gradient_is_found_where_the_output_is_right()
    {
        int calls = 0;
        var check = Check((layer, on) =>
        {
            var output = layer.Apply(Input(on));
            return calls++ == 0 ? output : (output * .5) + (output * .5).detach();
        });
        Assert.False(check.Passed);
        Assert.InRange(check.Error, .4, .6);
    }

    [Fact]
    public void A_lost_gradient_is_found()
    {
        int calls = 0;
        var check = Check((layer, on) => calls++ == 0
            ? layer.Apply(Input(on))
            : nn.functional.linear(Input(on), layer.weight, layer.bias!.detach()));
        Assert.False(check.Passed);
    }

    [Fact]
    public void Not_a_number_is_found()
    {
        int calls = 0;
        Assert.False(Check((layer, on) => layer.Apply(Input(on)) * (calls++ == 0 ? 1 : float.NaN)).Passed);
    }

    private static DeviceCheck Check(Func<Linear, Device, Tensor> run) => DeviceCheck.Of("linear", () => Linear(8, 4), run, CPU);

    private static Tensor Input(Device device)
    {
        using var generator = new Generator(1);
        return randn(5, 8, generator: generator).to(device);
    }
}
