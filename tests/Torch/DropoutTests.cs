namespace Recsys.Torch.Tests;

public class DropoutTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void Elements_fall_at_the_stated_rate_and_the_rest_is_scaled(double p)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var y = functional.dropout(ones(1_000_000), p).data<float>().ToArray();
        var dropped = y.Count(v => v == 0);
        var deviation = Math.Sqrt(1_000_000 * p * (1 - p));
        Assert.InRange(dropped, (1_000_000 * p) - (5 * deviation), (1_000_000 * p) + (5 * deviation));
        Assert.All(y.Where(v => v != 0).Distinct(), v => Assert.Equal(1 / (1 - p), v, 1e-5));
    }

    [Fact]
    public void Neighbours_fall_independently_of_each_other()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var kept = functional.dropout(ones(1_000_001), 0.5).data<float>().ToArray().Select(v => v != 0).ToArray();
        foreach (var lag in new[] { 1, 2, 8, 64, 4096, 8192 })
        {
            var n = kept.Length - lag;
            var equal = Enumerable.Range(0, n).Count(i => kept[i] == kept[i + lag]);
            Assert.InRange(equal, (n / 2.0) - (5 * Math.Sqrt(n) / 2), (n / 2.0) + (5 * Math.Sqrt(n) / 2));
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void The_gradient_has_the_mask_of_the_result(ScalarType type)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var x = ones([3, 5000], dtype: type).requires_grad_();
        var y = functional.dropout(x, 0.4);
        y.sum().backward();
        Assert.Equal(y.detach().to(float32).data<float>().ToArray(), x.grad!.to(float32).data<float>().ToArray());
    }

    [Fact]
    public void The_result_does_not_depend_on_the_number_of_threads()
    {
        using var scope = NewDisposeScope();
        var before = get_num_threads();
        try
        {
            float[] Run(int threads)
            {
                set_num_threads(threads);
                manual_seed(6);
                return functional.dropout(ones(100_003), 0.2).data<float>().ToArray();
            }

            Assert.Equal(Run(1), Run(4));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Calls_differ_and_the_same_seed_repeats_them()
    {
        using var scope = NewDisposeScope();
        manual_seed(7);
        var a = functional.dropout(ones(1000), 0.5).data<float>().ToArray();
        var b = functional.dropout(ones(1000), 0.5).data<float>().ToArray();
        manual_seed(7);
        Assert.Equal(a, functional.dropout(ones(1000), 0.5).data<float>().ToArray());
        Assert.NotEqual(a, b);
    }

    [Fact]
    public void Second_derivatives_pass_through_it()
    {
        using var scope = NewDisposeScope();
        manual_seed(8);
        var x = full(100, 2.0, requires_grad: true);
        var y = functional.dropout(x, 0.5);
        var first = autograd.grad([y.pow(2).sum()], [x], create_graph: true)[0];
        var second = autograd.grad([first.sum()], [x])[0].data<float>().ToArray();
        Assert.Equal(y.detach().data<float>().ToArray().Select(v => v == 0 ? 0f : 8f), second);
    }

    [Fact]
    public void A_transposed_input_is_dropped_by_position_and_keeps_its_values()
    {
        using var scope = NewDisposeScope();
        var x = arange(1, 13, dtype: float32).reshape(3, 4).t();
        var y = functional.dropout(x, 0.5).data<float>().ToArray();
        var expected = x.data<float>().ToArray();
        Assert.All(y.Zip(expected), p => Assert.True(p.First == 0 || p.First == 2 * p.Second));
    }

    [Fact]
    public void Without_training_or_with_rate_zero_nothing_changes()
    {
        using var scope = NewDisposeScope();
        var x = randn(100);
        Assert.True(functional.dropout(x, 0.5, training: false).Equals(x));
        Assert.True(functional.dropout(x, 0).Equals(x));
        Assert.Equal(0, functional.dropout(x, 1).abs().sum().ToDouble());
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void A_rate_that_is_no_probability_is_refused(double p)
    {
        using var x = ones(4);
        Assert.Throws<TorchException>(() => functional.dropout(x, p));
    }
}
