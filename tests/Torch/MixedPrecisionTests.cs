using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public sealed class MixedPrecisionTests
{
    [Fact]
    public void Within_the_scope_results_are_bf16_and_outside_fp32()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(32, 32);
        using var convolution = nn.Conv2d(32, 32, 3, padding: 1);
        var (x, image) = (Random(1, 5, 32).to(ScalarType.Float32), Random(2, 1, 32, 4, 4).to(ScalarType.Float32));
        Tensor[] Results() => [linear.Apply(x), convolution.Apply(image), MixedPrecision.Product(x, x.t())];
        var wide = Results();
        Tensor[] narrow;
        using (MixedPrecision.Scope(true))
        {
            narrow = Results();
        }

        Assert.All(wide.Concat(Results()), result => Assert.Equal(ScalarType.Float32, result.dtype));
        Assert.All(narrow, result => Assert.Equal(ScalarType.BFloat16, result.dtype));
        foreach (var (expected, actual) in wide.Zip(narrow))
        {
            Close(expected, actual, 0.02);
        }
    }

    [Fact]
    public void Weights_and_their_gradients_stay_fp32()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(8, 4, hasBias: false);
        var x = Random(1, 5, 8).to(ScalarType.Float32);
        using (MixedPrecision.Scope(true))
        {
            linear.Apply(x).sum().backward();
        }

        Assert.Equal((ScalarType.Float32, ScalarType.Float32), (linear.weight.dtype, linear.weight.grad!.dtype));
        Close(x.sum(dim: 0).unsqueeze(0).expand(4, 8), linear.weight.grad, 0.02);
    }

    [Fact]
    public void Nested_scopes_restore_what_was_before()
    {
        using (MixedPrecision.Scope(true))
        {
            using (MixedPrecision.Scope(false))
            {
                Assert.Equal(ScalarType.Float32, ProductType());
                using (MixedPrecision.Scope(true))
                {
                    Assert.Equal(ScalarType.BFloat16, ProductType());
                }

                Assert.Equal(ScalarType.Float32, ProductType());
            }

            Assert.Equal(ScalarType.BFloat16, ProductType());
        }

        Assert.Equal(ScalarType.Float32, ProductType());
    }

    [Fact]
    public void Another_thread_is_not_affected()
    {
        using var _ = MixedPrecision.Scope(true);
        var elsewhere = ScalarType.Byte;
        var thread = new Thread(() => elsewhere = ProductType());
        thread.Start();
        thread.Join();
        Assert.Equal((ScalarType.Float32, ScalarType.BFloat16), (elsewhere, ProductType()));
    }

    private static ScalarType ProductType()
    {
        using var scope = NewDisposeScope();
        return MixedPrecision.Product(ones(2, 2), ones(2, 2)).dtype;
    }
}
