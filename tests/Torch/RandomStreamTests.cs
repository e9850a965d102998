namespace Recsys.Torch.Tests;

public class RandomStreamTests
{
    [Fact]
    public void Manual_seed_zero_gives_libtorchs_stream_for_many_elements()
    {
        using var scope = NewDisposeScope();
        manual_seed(0);
        var x = randn(4, 3, 8, 8)[0, 0, 0, ..4].data<float>().ToArray();
        float[] expected = [-1.1258398f, -1.1523602f, -0.2505786f, -0.4338788f];
        Assert.Equal(expected, x, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Manual_seed_zero_gives_libtorchs_stream_for_fewer_than_sixteen_elements()
    {
        using var scope = NewDisposeScope();
        manual_seed(0);
        var x = randn(2, 2).data<float>().ToArray();
        float[] expected = [1.5409961f, -0.2934289f, -2.1787894f, 0.5684313f];
        Assert.Equal(expected, x, (a, b) => Math.Abs(a - b) < 1e-6);
    }
}
