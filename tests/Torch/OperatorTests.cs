using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public class OperatorTests
{
    private static readonly Dictionary<string, (Func<Tensor, Tensor> Ours, Func<double, double> Oracle)> Unary = new()
    {
        ["exp"] = (exp, Math.Exp), ["log"] = (x => x.abs().log(), x => Math.Log(Math.Abs(x))), ["sqrt"] = (x => x.abs().sqrt(), x => Math.Sqrt(Math.Abs(x))),
        ["rsqrt"] = (x => x.abs().rsqrt(), x => 1 / Math.Sqrt(Math.Abs(x))), ["abs"] = (abs, Math.Abs), ["neg"] = (x => -x, x => -x),
        ["sin"] = (sin, Math.Sin), ["cos"] = (cos, Math.Cos), ["tanh"] = (tanh, Math.Tanh), ["sigmoid"] = (sigmoid, x => 1 / (1 + Math.Exp(-x))),
        ["sign"] = (sign, x => Math.Sign(x)), ["round"] = (round, x => Math.Round(x)), ["floor"] = (floor, Math.Floor), ["ceil"] = (ceil, Math.Ceiling),
        ["square"] = (square, x => x * x), ["reciprocal"] = (reciprocal, x => 1 / x), ["relu"] = (relu, x => Math.Max(0, x)),
        ["expm1"] = (expm1, x => Math.Exp(x) - 1), ["log1p"] = (x => x.abs().log1p(), x => Math.Log(1 + Math.Abs(x))),
        ["pow"] = (x => x.pow(3), x => x * x * x), ["clamp"] = (x => x.clamp(-0.5, 0.5), x => Math.Clamp(x, -0.5, 0.5)),
        ["clamp below"] = (x => x.clamp(min: 0.1), x => Math.Max(0.1, x)),
        ["gelu"] = (functional.gelu, x => x * 0.5 * (1 + Erf(x / Math.Sqrt(2)))), ["silu"] = (x => functional.silu(x), x => x / (1 + Math.Exp(-x))),
        ["leaky relu"] = (x => functional.leaky_relu(x, 0.2), x => x > 0 ? x : 0.2 * x), ["softplus"] = (x => functional.softplus(x), x => Math.Log(1 + Math.Exp(x))),
        ["mish"] = (x => functional.mish(x), x => x * Math.Tanh(Math.Log(1 + Math.Exp(x)))), ["erf"] = (erf, Erf), ["softsign"] = (x => functional.softsign(x), x => x / (1 + Math.Abs(x))),
        ["scalar minus"] = (x => 2.5 - x, x => 2.5 - x), ["scalar over"] = (x => 3 / x, x => 3 / x), ["remainder"] = (x => x % 0.3, x => x - (Math.Floor(x / 0.3) * 0.3)),
    };

    public static TheoryData<string> Names => [.. Unary.Keys];

    // Abramowitz and Stegun 7.1.5: the series converges for the small arguments here.
    private static double Erf(double x)
    {
        double sum = x, term = x;
        for (var n = 1; n < 40; n++)
        {
            term *= -x * x / n;
            sum += term / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Functions_of_one_element_equal_their_formula(string name)
    {
        using var scope = NewDisposeScope();
        var x = Random([50], 3, -2, 2);
        Close(x.Doubles().Select(Unary[name].Oracle), Unary[name].Ours(x), 1e-9);
    }

    [Fact]
    public void Operands_broadcast()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1.0, 2, 3 });
        var b = tensor(new[,] { { 10.0 }, { 20 } });
        Close([11, 12, 13, 21, 22, 23], a + b);
        Close([-9, -8, -7, -19, -18, -17], a - b);
        Close([10, 20, 30, 20, 40, 60], a * b);
        Close([0.1, 0.2, 0.3, 0.05, 0.1, 0.15], a / b);
        Assert.Equal([0L, 0, 1], (a > 2).Longs());
        Assert.Equal([1L, 1, 0], (a != 3).Longs());
        Assert.Equal([0L, 1, 0], ((a >= 2) & (a < 3)).Longs());
        Assert.Equal([1L, 0, 1], (~(a == 2)).Longs());
    }

    [Fact]
    public void Integers_stay_integers_and_divide_to_floats()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new long[] { 7, -7 });
        Assert.Equal(int64, (a + 1).dtype);
        Assert.Equal(int64, (a * 2L).dtype);
        Assert.Equal(float32, (a / 2).dtype);
        Assert.Equal(float32, (a * 0.5).dtype);
        Assert.Equal([3L, -4], a.floor_divide(2).Longs());
        Assert.Equal([3L, -3], a.div(2, RoundingMode.trunc).Longs());
        Assert.Equal([1L, 1], (a % 2).Longs());
    }

    [Fact]
    public void In_place_operators_change_the_tensor_and_return_it()
    {
        using var scope = NewDisposeScope();
        var x = ones(3);
        Assert.Same(x, x.add_(2).mul_(3).sub_(1).div_(2));
        Close([4, 4, 4], x);
        x.lerp_(zeros(3), 0.25);
        Close([3, 3, 3], x);
        x.addcmul_(full(3, 2.0), full(3, 5.0), 0.1).addcdiv_(full(3, 6.0), full(3, 3.0));
        Close([6, 6, 6], x);
        Close([0, 0, 0], x.zero_());
        Close([9, 9, 9], x.fill_(9).copy_(x));
        Close([5, 5, 5], x.clamp_(max: 5));
    }

    [Fact]
    public void Foreach_operators_equal_the_loop_over_tensors()
    {
        using var scope = NewDisposeScope();
        var a = new List<Tensor> { ones(2), full(3, 4.0) };
        var b = new List<Tensor> { full(2, 3.0), full(3, 5.0) };
        _foreach_add_(a, b, 2);
        Close([7, 7], a[0]);
        _foreach_mul_(a, 0.5);
        Close([7, 7, 7], a[1]);
        _foreach_addcmul_(a, b, b, 1);
        Close([12.5, 12.5], a[0]);
        _foreach_addcdiv_(a, b, b, 0.5);
        Close([13, 13], a[0]);
        _foreach_lerp_(a, b, 0.5);
        Close([8, 8], a[0]);
        _foreach_sqrt_(a);
        Close([Math.Sqrt(8), Math.Sqrt(8)], a[0]);
        _foreach_zero_(a);
        Close([0, 0, 0], a[1]);
    }

    [Fact]
    public void Reductions_equal_linq()
    {
        using var scope = NewDisposeScope();
        var x = Random([4, 5], 5);
        var xs = x.Doubles();
        var rows = xs.Chunk(5).ToArray();
        Assert.Equal(xs.Sum(), x.sum().ToDouble(), 1e-12);
        Close(rows.Select(r => r.Sum()), x.sum(1));
        Close(rows.Select(r => r.Average()), x.mean([1]));
        Close(rows.Select(r => r.Sum(v => Math.Pow(v - r.Average(), 2)) / 4), x.var(1));
        Close(rows.Select(r => Math.Sqrt(r.Sum(v => Math.Pow(v - r.Average(), 2)) / 5)), x.std(1, unbiased: false));
        Close(rows.Select(r => r.Max()), x.max(1).values);
        Assert.Equal(rows.Select(r => (long)Array.IndexOf(r, r.Min())), x.argmin(1).Longs());
        Close(rows.Select(r => r.Aggregate(1.0, (a, b) => a * b)), x.prod(1));
        Close(rows.Select(r => Math.Sqrt(r.Sum(v => v * v))), x.norm(1));
        Close(rows.Select(r => Math.Log(r.Sum(Math.Exp))), x.logsumexp(1));
        Close(rows.SelectMany(r => r.Select((_, i) => r.Take(i + 1).Sum())), x.cumsum(1));
        Close(rows.SelectMany(r => r.Select(v => Math.Exp(v) / r.Sum(Math.Exp))), x.softmax(1));
        Assert.Equal(xs.Any(v => v > 0.99), (x > 0.99).any().ToBoolean());
        Assert.Equal(xs.All(v => v > -1), (x > -1).all().ToBoolean());
        Assert.Equal(xs.Min(), x.amin(0, 1).ToDouble());
    }

    [Fact]
    public void Views_and_rearrangements_have_the_shapes_and_elements_of_their_definition()
    {
        using var scope = NewDisposeScope();
        var x = arange(24, dtype: ScalarType.Float64).reshape(2, 3, 4);
        Assert.Equal([4L, 2, 3], x.permute(2, 0, 1).shape);
        Assert.Equal(x[1, 2, 3].ToDouble(), x.transpose(0, 2)[3, 2, 1].ToDouble());
        Assert.Equal([6L, 4], x.flatten(0, 1).shape);
        Assert.Equal([2L, 3, 2, 2], x.unflatten(2, 2, 2).shape);
        Assert.Equal([1L, 2, 3, 4], x.unsqueeze(0).shape);
        Assert.Equal([2L, 3, 4], x.unsqueeze(0).squeeze(0).shape);
        Assert.Equal([2L, 1, 4], x.narrow(1, 2, 1).shape);
        Assert.Equal([2L, 2, 1], x.chunk(2, 1).Select(c => c.size(1)).Prepend(2));
        Assert.Equal([1L, 2], x.split([1, 2], 1).Select(c => c.size(1)));
        Assert.Equal(3, x.unbind(1).Length);
        Close(x, stack(x.unbind(1), 1));
        Close([1, 2, 0], tensor(new[] { 0.0, 1, 2 }).roll(-1));
        Close([2, 1, 0], tensor(new[] { 0.0, 1, 2 }).flip(0));
        Close([0, 0, 1, 1], tensor(new[] { 0.0, 1 }).repeat_interleave(2));
        Close([0, 1, 0, 1], tensor(new[] { 0.0, 1 }).repeat(2));
        Close([1, 0, 1, 1], ones(2, 2).tril());
        Close([0, 1, 1, 2], tensor(new[] { 0.0, 1, 2 }).unfold(0, 2, 1));
    }

    [Fact]
    public void Linear_algebra_satisfies_its_identities()
    {
        using var scope = NewDisposeScope();
        var a = Random([5, 3], 8);
        var (u, s, vh) = linalg.svd(a, fullMatrices: false);
        Close(a, u.matmul(s.diag()).matmul(vh), 1e-10);
        var (q, r) = linalg.qr(a);
        Close(a, q.matmul(r), 1e-10);
        Close(eye(3, dtype: ScalarType.Float64), q.t().matmul(q), 1e-10);
        var spd = a.t().matmul(a) + eye(3, dtype: ScalarType.Float64);
        var (values, vectors) = linalg.eigh(spd);
        Close(spd, vectors.matmul(values.diag()).matmul(vectors.t()), 1e-10);
        var l = linalg.cholesky(spd);
        Close(spd, l.matmul(l.t()), 1e-10);
        Close(eye(3, dtype: ScalarType.Float64), linalg.inv(spd).matmul(spd), 1e-10);
        Close(a.t(), spd.matmul(linalg.solve(spd, a.t())), 1e-10);
        Close(a.matmul(a.t()), einsum("ik,jk->ij", a, a), 1e-12);
        Close(a.t().mm(a), addmm(zeros(3, 3, dtype: ScalarType.Float64), a.t(), a), 1e-12);
        Close(cdist(a, a).square(), (a.unsqueeze(1) - a.unsqueeze(0)).square().sum(-1), 1e-6);
    }
}
