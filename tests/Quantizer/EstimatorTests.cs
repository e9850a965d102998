using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Tests;

public class EstimatorTests
{
    private const int N = 6, Dim = 5;

    /// <summary>R = I − 2rrᵀ + 2q̂ẑᵀ as a matrix: it turns ẑ to q̂, keeps lengths, and λRᵀ is what the gradient goes
    /// through.</summary>
    [Fact]
    public void The_rotation_trick_is_the_papers_rotation_row_by_row()
    {
        using var scope = NewDisposeScope();
        var (z, q) = (Random(1), Random(2));
        z.requires_grad = true;
        var g = Random(3);
        var turned = Estimators.Rotated(z, q);
        Assert.True(turned.allclose(q, 1e-4, 1e-5));
        (turned * g).sum().backward();
        for (int row = 0; row < N; row++)
        {
            var (from, to, gradient) = (Row(z, row), Row(q, row), Row(g, row));
            var (unit, target) = (Scaled(from), Scaled(to));
            var r = Scaled([.. unit.Zip(target, (a, b) => a + b)]);
            double stretch = Math.Sqrt(to.Sum(v => v * v) / from.Sum(v => v * v));
            double R(int i, int j) => (i == j ? 1 : 0) - (2 * r[i] * r[j]) + (2 * target[i] * unit[j]);
            for (int i = 0; i < Dim; i++)
            {
                Assert.Equal(target[i], Enumerable.Range(0, Dim).Sum(j => R(i, j) * unit[j]), 5);
                double expected = stretch * Enumerable.Range(0, Dim).Sum(j => R(j, i) * gradient[j]);
                Assert.Equal(expected, z.grad![row, i].ToDouble(), 4);
                for (int k = 0; k < Dim; k++)
                {
                    Assert.Equal(i == k ? 1 : 0, Enumerable.Range(0, Dim).Sum(j => R(i, j) * R(k, j)), 5);
                }
            }
        }
    }

    [Fact]
    public void Vectors_of_no_direction_get_their_codes_and_a_finite_gradient()
    {
        using var scope = NewDisposeScope();
        var z = cat([zeros(1, Dim), Random(1).narrow(0, 0, 1)], 0);
        var q = cat([Random(2).narrow(0, 0, 1), -z.narrow(0, 1, 1)], 0); // no direction, and the opposite one
        z.requires_grad = true;
        var turned = Estimators.Rotated(z, q);
        Assert.True(turned.allclose(q, 1e-5, 1e-6));
        turned.sum().backward();
        Assert.All(z.grad!.data<float>().ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Gumbel_draws_codes_by_the_softmax_of_their_nearness()
    {
        using var scope = NewDisposeScope();
        using var codebooks = Line(0f, 1f, 3f);
        using var generator = new Generator(5);
        var input = full(20_000, 1, 0.8f); // squared distances .64, .04, 4.84
        double temperature = 10;
        var (codes, vectors) = Estimators.Gumbel(codebooks, input, 0, new GumbelNoise(generator, temperature));
        double[] weights = [.. new[] { 0.64, 0.04, 4.84 }.Select(d => Math.Exp(-d / (temperature * 0.04)))];
        var counts = bincount(codes, minlength: 3).data<long>().ToArray();
        for (int code = 0; code < 3; code++)
        {
            Assert.Equal(weights[code] / weights.Sum(), counts[code] / 20_000.0, tolerance: 0.015);
        }

        Assert.True(vectors.allclose(codebooks.Vectors(codes, 0)));
    }

    [Fact]
    public void Gumbels_gradient_is_that_of_the_soft_choice_and_reaches_the_codes()
    {
        // Two codes 0 and 1, one draw: d/dx of p·1 with p = σ(l₁ − l₀ + noise)
        // is p (1 − p) · d(l₁ − l₀)/dx = p (1 − p) · 2 / (τ·scale).
        using var scope = NewDisposeScope();
        using var codebooks = Line(0f, 1f);
        var input = full(1, 1, 0.4f);
        input.requires_grad = true;
        const double temperature = 3, scale = 0.16;
        double u0, u1;
        using (var same = new Generator(9))
        {
            using var uniform = rand(1, 2, generator: same);
            (u0, u1) = (uniform[0, 0].ToDouble(), uniform[0, 1].ToDouble());
        }

        using var generator = new Generator(9);
        var (_, vectors) = Estimators.Gumbel(codebooks, input, 0, new GumbelNoise(generator, temperature));
        vectors.sum().backward();
        double l0 = (-0.16 / (temperature * scale)) - Math.Log(-Math.Log(u0));
        double l1 = (-0.36 / (temperature * scale)) - Math.Log(-Math.Log(u1));
        double p = 1 / (1 + Math.Exp(l0 - l1));
        Assert.Equal(p * (1 - p) * 2 / (temperature * scale), input.grad![0, 0].ToDouble(), 3);
        Assert.NotEqual(0, codebooks.Codes[0].grad!.abs().sum().ToDouble());
    }

    private static ResidualCodebooks Line(params float[] codes)
    {
        var codebooks = new ResidualCodebooks([codes.Length], 1, trainable: true);
        using var _ = no_grad();
        codebooks.Codes[0].copy_(tensor(codes, [codes.Length, 1]));
        return codebooks;
    }

    private static Tensor Random(int seed) => tensor(ResidualCodebooksTests.Floats(N * Dim, seed), [N, Dim]);

    private static double[] Row(Tensor x, int row) => [.. Enumerable.Range(0, Dim).Select(i => x[row, i].ToDouble())];

    private static double[] Scaled(double[] x) => [.. x.Select(v => v / Math.Sqrt(x.Sum(w => w * w)))];
}
