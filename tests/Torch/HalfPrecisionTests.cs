using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Torch.Tests;

public class HalfPrecisionTests
{
    [Theory]
    [InlineData("matmul")]
    [InlineData("softmax")]
    [InlineData("layer_norm")]
    [InlineData("conv2d")]
    [InlineData("gelu")]
    [InlineData("cat")]
    [InlineData("max")]
    public void Operators_on_a_CPU_are_those_of_float32_rounded(string name)
    {
        using var scope = NewDisposeScope();
        Func<Tensor, Tensor> run = name switch
        {
            "matmul" => x => x.matmul(x.transpose(-1, -2)),
            "softmax" => x => x.softmax(-1),
            "layer_norm" => x => F.layer_norm(x, [8]),
            "conv2d" => x => F.conv2d(x, x[.., .., ..3, ..3]),
            "gelu" => x => F.gelu(x),
            "cat" => x => cat([x, x.exp()], 1),
            _ => x => x.max(1).values,
        };
        Tensor half = randn(2, 3, 8, 8).half();
        Tensor expected = run(half.to(ScalarType.Float32)).half(), actual = run(half);
        Assert.Equal(ScalarType.Float16, actual.dtype);
        Assert.True((expected.to(ScalarType.Float32) - actual.to(ScalarType.Float32)).abs().max().ToDouble() <= 0.01);
    }

    [Fact]
    public void Gradients_come_back_in_half_precision()
    {
        using var scope = NewDisposeScope();
        Tensor a = tensor(new float[,] { { 1, 2 }, { 3, 4 } }).half().requires_grad_();
        a.matmul(a).sum().backward();
        Assert.Equal(ScalarType.Float16, a.grad!.dtype);
        Assert.Equal([7f, 11f, 9f, 13f], a.grad.to(ScalarType.Float32).data<float>().ToArray());
    }

    [Fact]
    public void Nothing_is_left_behind_and_what_is_wrong_stays_refused()
    {
        long before = LiveTensorCount;
        using (NewDisposeScope())
        {
            Tensor a = randn(2, 3).half();
            Assert.Throws<TorchException>(() => a.matmul(a));
            a.matmul(a.t());
        }

        Assert.Equal(before, LiveTensorCount);
    }
}
