namespace Recsys.Torch.Tests;

/// <summary>Small tensors take a way of their own through sums and products: the values are those of the same elements in a large tensor, which does not.</summary>
public class SmallTensorTests
{
    private const int Small = 37, Large = 5000;

    public static TheoryData<string> Names => [.. Operations.Keys];

    private static Dictionary<string, Func<Tensor, Tensor, Tensor>> Operations { get; } = new()
    {
        ["a + b"] = (a, b) => a + b,
        ["a - b"] = (a, b) => a - b,
        ["a * b"] = (a, b) => a * b,
        ["a / b"] = (a, b) => a / b,
        ["a + 2 b"] = (a, b) => a.add(b, 2),
        ["a + 0.1"] = (a, _) => a + 0.1,
        ["a - 3"] = (a, _) => a - 3,
        ["a * 0.1"] = (a, _) => a * 0.1,
        ["a * 7"] = (a, _) => a * 7,
        ["a * 1e300"] = (a, _) => a * 1e300,
        ["a * (2^24 + 1)"] = (a, _) => a * 16_777_217L,
        ["a / 3"] = (a, _) => a / 3,
        ["transposed + b"] = (a, b) => a.view(-1, 1).t() + b,
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void A_small_tensor_has_the_values_and_gradients_of_a_large_one(string name)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Numbers.Random([Large], 1).to(ScalarType.Float32), Numbers.Random([Large], 2).to(ScalarType.Float32));
        (a, b) = (cat([tensor(new[] { 0f, float.NaN, float.PositiveInfinity, float.MaxValue, -0f }), a.narrow(0, 5, Large - 5)]), cat([tensor(new[] { 0f, 1f, float.NegativeInfinity, 2f, 0f }), b.narrow(0, 5, Large - 5)]));
        var (whole, part) = (Of(a, b), Of(a.narrow(0, 0, Small).clone(), b.narrow(0, 0, Small).clone()));
        Assert.Equal(Bits(whole.Value.reshape(-1).narrow(0, 0, Small)), Bits(part.Value.reshape(-1)));
        Assert.Equal(Bits(whole.Gradient.narrow(0, 0, Small)), Bits(part.Gradient));
        Assert.Equal(Bits(part.Value.detach()), Bits(Operations[name](a.narrow(0, 0, Small).clone(), b.narrow(0, 0, Small).clone())));

        (Tensor Value, Tensor Gradient) Of(Tensor x, Tensor y)
        {
            x.requires_grad_();
            var value = Operations[name](x, y);
            Assert.True(value.requires_grad);
            return (value, autograd.grad([value], [x], [ones_like(value)])[0]);
        }
    }

    [Fact]
    public void Other_shapes_and_types_go_the_usual_way()
    {
        using var scope = NewDisposeScope();
        var (row, column) = (ones(1, 3), ones(4, 1));
        Assert.Equal([4L, 3L], (row + column).shape);
        Assert.Equal(ScalarType.Float64, (ones(3) + ones(3, dtype: ScalarType.Float64)).dtype);
        Assert.Equal(ScalarType.Float32, (ones(3) + ones(3, dtype: ScalarType.Int64)).dtype);
        Assert.Equal(0, (zeros(0) + zeros(0)).numel());
        Assert.Equal([], (tensor(1f) * tensor(2f)).shape);
        Assert.Throws<TorchException>(() => ones(3) + ones(4));
    }

    private static byte[] Bits(Tensor t) => SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["t"] = t.detach().contiguous().reshape(-1) });
}
