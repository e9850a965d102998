using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>The dropout between a transformer's sublayers.</summary>
public sealed class DropoutTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void Elements_fall_at_the_stated_rate_and_the_rest_is_scaled(double p)
    {
        using var scope = NewDisposeScope();
        double deviation = Math.Sqrt(1_000_000 * p * (1 - p));
        var values = Dropped(ones(1000, 1000), p, 3).Doubles();
        Assert.InRange(values.Count(v => v == 0), (1_000_000 * p) - (5 * deviation), (1_000_000 * p) + (5 * deviation));
        Assert.Equal(1 / (1 - p), Assert.Single(values.Where(v => v != 0).Distinct()), 1e-6 / (1 - p));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(997)] // the same place in the next row
    [InlineData(64 * 997)]
    public void Neighbours_fall_independently_of_each_other(int lag)
    {
        using var scope = NewDisposeScope();
        var kept = Dropped(ones(1003, 997), 0.5, 4).Doubles();
        int n = kept.Length - lag, alike = Enumerable.Range(0, n).Count(i => kept[i] == kept[i + lag]);
        Assert.InRange(alike, (n / 2.0) - (5 * Math.Sqrt(n) / 2), (n / 2.0) + (5 * Math.Sqrt(n) / 2));
    }

    [Fact]
    public void A_seed_repeats_its_mask_and_another_has_one_that_is_independent()
    {
        using var scope = NewDisposeScope();
        double[] Mask(long seed) => Dropped(ones(500, 200), 0.5, seed).Doubles();
        Assert.Equal(Mask(5), Mask(5));
        foreach (long other in new[] { 6, -5, 5L << 32, long.MaxValue })
        {
            int alike = Mask(5).Zip(Mask(other)).Count(pair => pair.First == pair.Second);
            Assert.InRange(alike, 50_000 - 800, 50_000 + 800); // 5 standard deviations
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void The_gradient_has_the_mask_of_the_result(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var x = ones([3, 500, 21], dtype: type).requires_grad_();
        var y = Dropped(x, 0.4, 12);
        y.sum().backward();
        Assert.Equal(y.to(type).Bytes(), x.grad!.Bytes());
        Assert.Equal(2, y.Doubles().Distinct().Count());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Values_are_multiplied_by_the_mask_whatever_the_strides(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var x = Random(1, 37, 50).to(type).t();
        var mask = Dropped(ones(50, 37), 0.25, 9);
        Assert.Equal((x.to(ScalarType.Float32) * mask).Doubles(), Dropped(x, 0.25, 9).Doubles());
    }

    [Fact]
    public void Rate_zero_changes_nothing_and_an_empty_tensor_stays_empty()
    {
        using var scope = NewDisposeScope();
        var x = Random(1, 100).to(ScalarType.Float32);
        Assert.Equal(x.Bytes(), Dropped(x, 0, 1).Bytes());
        Assert.Equal([4, 0], Dropped(zeros(4, 0), 0.5, 1).shape);
        Assert.Equal([0, 4], Dropped(zeros(0, 4), 0.5, 1).shape);
    }

    [Fact]
    public void A_part_of_a_batch_gets_its_part_of_the_mask_and_of_the_gradient()
    {
        using var scope = NewDisposeScope();
        var (whole, part) = (ones(9, 32).requires_grad_(), ones(4, 32).requires_grad_());
        var (all, rows) = (Dropped(whole, 0.4, 7), Dropped(part, 0.4, 7, firstRow: 3));
        Assert.Equal(all.narrow(0, 3, 4).contiguous().Bytes(), rows.Bytes());
        all.sum().backward();
        rows.sum().backward();
        Assert.Equal(whole.grad!.narrow(0, 3, 4).contiguous().Bytes(), part.grad!.Bytes());
        Assert.NotEqual(rows.Bytes(), Dropped(part, 0.4, 7).Bytes());
    }

    [Theory]
    [InlineData(-0.1, "is -0.1;")]
    [InlineData(1.0, "is 1;")]
    [InlineData(double.NaN, "is NaN;")]
    public void A_rate_outside_0_to_below_1_is_refused(double p, string part)
    {
        using var x = ones(4);
        Refused(part + " allowed are 0 to below 1", () => Dropped(x, p, 1));
    }

    // The sum of nothing and what is left of x.
    private static Tensor Dropped(Tensor x, double p, long seed, long firstRow = 0)
    {
        using var norm = nn.LayerNorm(x.size(-1));
        return Fused.AddDropoutNorm(zeros(x.shape), x, norm, p, seed, firstRow).Sum;
    }
}
