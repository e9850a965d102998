using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

/// <summary>Linear against float64: sizes that take the fast path and sizes that do not, every layout of the input.</summary>
public class LinearTests
{
    [Theory]
    [InlineData(1000, 48, 96, true)] // large enough for the fast path
    [InlineData(1000, 48, 96, false)]
    [InlineData(300, 17, 33, true)] // no multiple of a vector
    [InlineData(7, 5, 3, true)]
    public void It_equals_float64_in_value_and_first_and_second_gradient(long rows, long columns, long outputs, bool bias)
    {
        using var scope = NewDisposeScope();
        Tensor[] Inputs(ScalarType type) =>
        [
            .. new[] { Random([rows, columns], 1), Random([outputs, columns], 2), Random([outputs], 3) }
                .Take(bias ? 3 : 2).Select(t => t.to(type).requires_grad_())
        ];
        var (exact, single) = (Inputs(ScalarType.Float64), Inputs(ScalarType.Float32));
        var (expected, actual) = (Work(exact), Work(single));
        Close(expected.Value, actual.Value, 1e-5);
        for (int i = 0; i < exact.Length; i++)
        {
            Close(expected.Gradients[i], actual.Gradients[i], 2e-5);
            Close(exact[i].grad!, single[i].grad!, 5e-5);
        }

        (Tensor Value, Tensor[] Gradients) Work(Tensor[] x)
        {
            var y = nn.functional.linear(x[0], x[1], bias ? x[2] : null);
            var gradients = autograd.grad([y.square().mean()], x, create_graph: true);
            gradients.Select(g => g.square().sum()).Aggregate((a, b) => a + b).backward();
            return (y, [.. gradients]);
        }
    }

    [Fact]
    public void Any_layout_of_the_input_gives_the_same()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (Random([64, 20, 24], 1).to(ScalarType.Float32), Random([40, 24], 2).to(ScalarType.Float32));
        var expected = nn.functional.linear(x.reshape(-1, 24), weight).view(64, 20, 40);
        Close(expected, nn.functional.linear(x, weight), 1e-6);
        Close(expected.transpose(0, 1), nn.functional.linear(x.transpose(0, 1), weight), 1e-6);
        Close(expected, nn.functional.linear(x, weight.t().contiguous().t()), 1e-6);
        Close(expected, nn.functional.linear(cat([x, x], 2).narrow(2, 24, 24), weight), 1e-6);
    }

    [Fact]
    public void Under_autocast_it_runs_in_the_lower_precision()
    {
        using var scope = NewDisposeScope();
        using var autocast = Autocast.Cpu();
        Assert.Equal(ScalarType.BFloat16, nn.functional.linear(ones(1000, 32), ones(64, 32)).dtype);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_as_ever()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<TorchException>(() => nn.functional.linear(ones(1000, 32), ones(32, 33)));
        Assert.Throws<TorchException>(() => nn.functional.linear(ones(1000, 32), ones(64, 32), ones(63)));
    }
}
