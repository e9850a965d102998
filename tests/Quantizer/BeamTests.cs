using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;
using Recsys.Tests;

namespace Recsys.Quantizer.Tests;

public class BeamTests
{
    private static readonly QuantizerOptions Options = new() { Levels = 3, CodebookSize = 32 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_beam_that_holds_everything_finds_the_best_of_all_tuples(bool priced)
    {
        const int n = 30, dim = 4, size = 5;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var codebooks = new ResidualCodebooks([size, size, size], dim);
        var values = Enumerable.Range(0, 3).Select(level => ResidualCodebooksTests.Floats(size * dim, 40 + level)).ToArray();
        var prices = Enumerable.Range(0, 3)
            .Select(level => priced ? ResidualCodebooksTests.Floats(size, 50 + level) : new float[size]).ToArray();
        for (int level = 0; level < 3; level++)
        {
            codebooks.Codes[level].copy_(tensor(values[level], [size, dim]));
            codebooks.Prices[level].copy_(tensor(prices[level]));
        }

        var x = ResidualCodebooksTests.Floats(n * dim, 3);
        var codes = codebooks.Encode(tensor(x, [n, dim]), beam: size * size);
        for (int item = 0; item < n; item++)
        {
            double Cost(int tuple)
            {
                int[] at = [tuple / (size * size), tuple / size % size, tuple % size];
                return Enumerable.Range(0, dim).Sum(k => Math.Pow(
                    x[(item * dim) + k] - Enumerable.Range(0, 3).Sum(level => values[level][(at[level] * dim) + k]), 2))
                    + Enumerable.Range(0, 3).Sum(level => prices[level][at[level]]);
            }

            int best = Enumerable.Range(0, size * size * size).MinBy(Cost);
            long found = (codes[item, 0].ToInt64() * size * size) + (codes[item, 1].ToInt64() * size) + codes[item, 2].ToInt64();
            Assert.Equal(Cost(best), Cost((int)found), 4);
        }
    }

    [Theory]
    [InlineData(0, 3, 0.86)]
    [InlineData(1, 3, 0.9)]
    [InlineData(0, 6, 0.86)]
    public void A_beam_of_10_loses_at_least_5_percent_less_than_nearest_codes_at_the_same_codebooks_and_less_than_those_of_k_means(
        double balance, int levels, double ofKMeans)
    {
        var fused = Blobs.Fused(3000, 24, 100, 7, noise: 0.5);
        var options = Options with { BalanceStrength = balance, Levels = levels };
        using var kMeans = QuantizerTrainer.Train(fused, options, 1, null, default);
        using var codebook = QuantizerTrainer.Train(fused, options with { Beam = 10 }, 1, null, default);
        double beam = Error(codebook, fused), greedy = Error(new Codebook(codebook.Fusion, codebook.Model), fused);
        Assert.True(beam < 0.95 * greedy, $"beam {beam}, greedy {greedy}");
        Assert.True(beam < ofKMeans * Error(kMeans, fused), $"beam {beam}, k-means {Error(kMeans, fused)}");
        Assert.All(
            codebook.EncodeCatalogue(fused).Report.Levels, level => Assert.True(level.Usage >= 0.95, $"{level.Used} of {level.Size}"));
    }

    [Fact]
    public void An_item_has_the_same_codes_alone_and_in_any_company()
    {
        var fused = Blobs.Fused(700, 12, 60, 8, noise: 0.5);
        using var codebook = QuantizerTrainer.Train(fused, Options with { Beam = 5 }, 1, null, default);
        var all = codebook.Encode(fused.Data, 700);
        Assert.All([0, 1, 63, 64, 500, 699], item => Assert.Equal(
            all[(item * 3)..((item + 1) * 3)], codebook.Encode(fused.Data.AsSpan(item * 12, 12), 1)));
    }

    [Fact]
    public void The_beam_is_kept_with_the_codebook()
    {
        var fused = Blobs.Fused(300, 8, 30, 9, noise: 0.5);
        using var folder = new TemporaryFolder();
        using var codebook = QuantizerTrainer.Train(fused, Options with { Beam = 8 }, 1, null, default);
        codebook.Save(folder["c"]);
        using var loaded = Codebook.Load(folder["c"]);
        Assert.Equal(8, loaded.Beam);
        Assert.Equal(codebook.Encode(fused.Data, 300), loaded.Encode(fused.Data, 300));
        Assert.NotEqual(new Codebook(codebook.Fusion, codebook.Model).Encode(fused.Data, 300), loaded.Encode(fused.Data, 300));
    }

    private static double Error(Codebook codebook, FusedEmbeddings fused) =>
        codebook.EncodeCatalogue(fused).Report.ReconstructionError;
}
