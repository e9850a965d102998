using Recsys.Faiss;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

/// <summary>Codebooks beyond the usual 256 codes: memory has one bound, and no row is left out.</summary>
public class LargeCodebookTests
{
    [Theory]
    [InlineData(12_101, 256)]
    [InlineData(1_000_000, 256)]
    [InlineData(10_000, 4096)]
    [InlineData(2_000_000, 4096)]
    [InlineData(100_000, 65_536)]
    [InlineData(100_000_000, 65_536)]
    public void Whatever_the_codebook_all_rows_or_256_a_code_are_learned_from_in_bounded_memory(long rows, int codes)
    {
        var plan = BlockPlan.For(rows, codes);
        Assert.Equal(Math.Min(rows, Math.Max(256L * codes, 131_072)), plan.TrainingRows);
        long kept = plan.PricedRows * plan.Candidates * (plan.Candidates == codes ? 4 : 8); // distances, and 32-bit indexes beside them
        long block = 4 * Math.Max(BlockPlan.BlockEntries, codes) * 4;
        Assert.True(kept + block <= 256L << 20, $"{kept} bytes a round, {block} bytes for a block");
        Assert.InRange(plan.Candidates, Math.Min(codes, 32), codes);
        Assert.True(plan.PricedRows >= Math.Min(rows, 2L * codes));
    }

    [Fact]
    public void At_4096_codes_every_row_takes_part()
    {
        const int N = 16_384, Dim = 8, K = 4096;
        using var scope = NewDisposeScope();
        var values = Points(N, Dim, 3);
        var x = tensor(values, [N, Dim]);
        double reference = KMeans.Train(values, Dim, K, new KMeansOptions { Iterations = 5, Seed = 11 }).Objective;
        var options = new QuantizerOptions { KMeansIterations = 5, BalanceStrength = 0 };
        using var codebooks = Fit(x, K, options);
        Assert.InRange(Error(codebooks, x), 0, 1.02 * reference); // from half of the rows it is 1.3 times as much
    }

    [Fact]
    public void At_512_codes_the_nearest_candidates_balance_as_well_as_all_do()
    {
        const int N = 4096, Dim = 8, K = 512;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var x = tensor(Points(N, Dim, 4), [N, Dim]);
        using var codebooks = Fit(x, K, new QuantizerOptions { KMeansIterations = 2, BalanceStrength = 0 });
        double before = Perplexity(codebooks, x);
        var (all, few) = (zeros(K), zeros(K));
        for (int round = 0; round < 2; round++)
        {
            Assert.True(CodePrices.Improve(codebooks, 0, x, all, 0.1, 10, candidates: K));
            Assert.True(CodePrices.Improve(codebooks, 0, x, few, 0.1, 10, candidates: 48));
        }

        codebooks.Prices[0].copy_(all);
        double dense = Perplexity(codebooks, x);
        codebooks.Prices[0].copy_(few);
        double sparse = Perplexity(codebooks, x);
        Assert.True(dense > before, $"{dense} of {before}");
        Assert.True(sparse > before + (0.95 * (dense - before)), $"all {dense}, nearest {sparse}, before {before}");
    }

    [Fact]
    public void At_65536_codes_balancing_runs_and_spreads_rows_over_more_of_them()
    {
        const int N = 1024, Dim = 4, K = 65_536;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var codebooks = new ResidualCodebooks([K], Dim);
        codebooks.Codes[0].copy_(tensor(Points(K, Dim, 5), [K, Dim]));
        var x = tensor(Points(N, Dim, 6), [N, Dim]) * 0.3; // in the middle of the codes: many nearest codes are shared
        var prices = zeros(K);
        double before = Perplexity(codebooks, x);
        for (int round = 0; round < 2; round++)
        {
            Assert.True(CodePrices.Improve(codebooks, 0, x, prices, 0.1, 10, BlockPlan.For(1_000_000, K).Candidates));
        }

        codebooks.Prices[0].copy_(prices);
        Assert.InRange(Perplexity(codebooks, x), 1.02 * before, N);
    }

    private static ResidualCodebooks Fit(Tensor x, int size, QuantizerOptions options)
    {
        var codebooks = new ResidualCodebooks([size], (int)x.shape[1]);
        KMeansTrainer.Fit(codebooks, x, options with { Levels = 1, CodebookSize = size }, 11, null, Ranks.Alone, default);
        return codebooks;
    }

    private static double Error(ResidualCodebooks codebooks, Tensor x)
    {
        var codes = codebooks.Nearest(x, 0);
        return (x - codebooks.Codes[0].index_select(0, codes)).pow(2).sum().ToDouble();
    }

    private static double Perplexity(ResidualCodebooks codebooks, Tensor x)
    {
        var codes = codebooks.Nearest(x, 0);
        var share = bincount(codes, minlength: codebooks.Sizes[0]).to(ScalarType.Float64) / x.shape[0];
        return (-(share * share.clamp_min(1e-12).log()).sum()).exp().ToDouble();
    }

    private static float[] Points(int n, int dim, int seed) => Blobs.Make("x", n, dim, 1, seed, noise: 1).Data;
}
