using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Tests;

public class ResidualCodebooksTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Codes_are_those_of_a_brute_force_search(bool priced)
    {
        var (codebooks, values, prices) = Random(3, 17, 5, 1, priced);
        using (codebooks)
        {
            var x = Floats(200 * 5, 2);
            var codes = Wrap(codebooks).Encode(x, 200);
            for (int item = 0; item < 200; item++)
            {
                var residual = x.AsSpan(item * 5, 5).ToArray().Select(v => (double)v).ToArray();
                for (int level = 0; level < 3; level++)
                {
                    double Cost(int j) =>
                        prices[level][j] + residual.Select((r, k) => Math.Pow(r - values[level][(j * 5) + k], 2)).Sum();
                    int best = Enumerable.Range(0, 17).MinBy(Cost);
                    Assert.Equal(best, codes[(item * 3) + level]);
                    residual = [.. residual.Select((r, k) => r - values[level][(best * 5) + k])];
                }
            }
        }
    }

    [Fact]
    public void What_the_codes_do_not_reconstruct_is_the_final_residual()
    {
        var (codebooks, values, _) = Random(3, 9, 4, 3, priced: false);
        using var model = Wrap(codebooks);
        var x = Floats(50 * 4, 4);
        var codes = model.Encode(x, 50);
        var reconstruction = model.Reconstruct(codes, 50);
        for (int i = 0; i < x.Length; i++)
        {
            double residual = x[i];
            for (int level = 0; level < 3; level++)
            {
                residual -= values[level][(codes[(i / 4 * 3) + level] * 4) + (i % 4)];
            }

            Assert.Equal(residual, x[i] - reconstruction[i], tolerance: 1e-5);
        }
    }

    [Fact]
    public void Residuals_never_grow_when_every_codebook_holds_zero()
    {
        var (codebooks, values, _) = Random(4, 8, 6, 5, priced: false);
        using var model = Wrap(codebooks);
        using (no_grad())
        {
            for (int level = 0; level < 4; level++)
            {
                codebooks.Codes[level].narrow(0, 0, 1).zero_();
                values[level].AsSpan(0, 6).Clear();
            }
        }

        var x = Floats(100 * 6, 6);
        var codes = model.Encode(x, 100);
        for (int item = 0; item < 100; item++)
        {
            var residual = x.AsSpan(item * 6, 6).ToArray();
            double before = residual.Sum(r => r * r);
            for (int level = 0; level < 4; level++)
            {
                residual = [.. residual.Select((r, k) => r - values[level][(codes[(item * 4) + level] * 6) + k])];
                double after = residual.Sum(r => r * r);
                Assert.True(after <= before + 1e-5);
                before = after;
            }
        }
    }

    [Fact]
    public void An_item_has_the_same_codes_alone_and_in_any_company()
    {
        var (codebooks, _, _) = Random(3, 64, 24, 7, priced: true);
        using var model = Wrap(codebooks);
        var x = Floats(9000 * 24, 8);
        var all = model.Encode(x, 9000);
        foreach (int item in new[] { 0, 1, 63, 64, 777, 8191, 8192, 8999 })
        {
            Assert.Equal(all[(item * 3)..((item + 1) * 3)], model.Encode(x.AsSpan(item * 24, 24), 1));
        }

        Assert.Equal(all[..(100 * 3)], model.Encode(x.AsSpan(0, 100 * 24), 100));
    }

    [Fact]
    public void Encoding_leaves_no_tensor_behind()
    {
        var (codebooks, _, _) = Random(2, 8, 4, 9, priced: false);
        using var model = Wrap(codebooks);
        model.Encode(Floats(40, 1), 10);
        using var scope = NewDisposeScope();
        model.Reconstruct(model.Encode(Floats(40, 1), 10), 10);
        Assert.Equal(0, scope.DisposablesCount);
    }

    internal static float[] Floats(int n, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, n).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    private static Codebook Wrap(ResidualCodebooks codebooks) =>
        new(new Fusion([new FusionPart("x", codebooks.InputDim, 1, true, new float[codebooks.InputDim], 1)]), codebooks);

    private static (ResidualCodebooks Codebooks, float[][] Values, float[][] Prices) Random(
        int levels, int size, int dim, int seed, bool priced)
    {
        var codebooks = new ResidualCodebooks([.. Enumerable.Repeat(size, levels)], dim);
        var values = Enumerable.Range(0, levels).Select(level => Floats(size * dim, seed + (10 * level))).ToArray();
        var prices = Enumerable.Range(0, levels).Select(level => priced ? Floats(size, seed + 1 + level) : new float[size]).ToArray();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        for (int level = 0; level < levels; level++)
        {
            codebooks.Codes[level].copy_(tensor(values[level], [size, dim]));
            codebooks.Prices[level].copy_(tensor(prices[level]));
        }

        return (codebooks, values, prices);
    }
}
