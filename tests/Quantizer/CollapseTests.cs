using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

public class CollapseTests
{
    private const int Items = 900, Distinct = 450, Dim = 8;

    private static readonly QuantizerOptions Options = new()
    {
        Levels = 2,
        CodebookSize = 32,
        RqVae = new RqVaeOptions { Hidden = [24], LatentDim = 8, Epochs = 12, WarmUpEpochs = 3, BatchSize = 128 },
    };

    public static TheoryData<QuantizerKind, CodebookUpdate, GradientEstimator> Trainings => new()
    {
        { QuantizerKind.ResidualKMeans, CodebookUpdate.Ema, GradientEstimator.StraightThrough },
        { QuantizerKind.Product, CodebookUpdate.Ema, GradientEstimator.StraightThrough },
        { QuantizerKind.OptimisedProduct, CodebookUpdate.Ema, GradientEstimator.StraightThrough },
        { QuantizerKind.RqVae, CodebookUpdate.Ema, GradientEstimator.StraightThrough },
        { QuantizerKind.RqVae, CodebookUpdate.Gradient, GradientEstimator.StraightThrough },
        { QuantizerKind.RqVae, CodebookUpdate.Ema, GradientEstimator.RotationTrick },
        { QuantizerKind.RqVae, CodebookUpdate.Gradient, GradientEstimator.GumbelSoftmax },
        { QuantizerKind.VqVae, CodebookUpdate.Ema, GradientEstimator.StraightThrough },
    };

    [Theory]
    [MemberData(nameof(Trainings))]
    public void Clustered_items_with_many_duplicates_use_all_but_5_percent_of_the_codes_at_each_level(
        QuantizerKind kind, CodebookUpdate update, GradientEstimator estimator) =>
        Assert.All(Enumerable.Range(1, 10), seed => AssertUsed(Duplicates(seed), kind, update, estimator, seed));

    [Theory]
    [MemberData(nameof(Trainings))]
    public void Unit_vectors_use_all_but_5_percent_of_the_codes_at_each_level(
        QuantizerKind kind, CodebookUpdate update, GradientEstimator estimator) =>
        Assert.All(
            Enumerable.Range(1, 10), seed => AssertUsed(Blobs.Fused(Items, Dim, 12, seed, noise: 0.4), kind, update, estimator, seed));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Beams_use_all_but_5_percent_of_the_codes_at_each_level(double balance) => Assert.All(Enumerable.Range(1, 10), seed =>
    {
        var options = Options with { Beam = 10, BalanceStrength = balance };
        AssertUsed(Duplicates(seed), options, seed);
        AssertUsed(Blobs.Fused(Items, Dim, 12, seed, noise: 0.4), options, seed);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Plain_k_means_leaves_rows_that_gather_near_zero_on_many_codes(int seed)
    {
        // Directions at random, lengths some way apart: far-apart seeds are the longest rows, and Lloyd alone leaves most others on one.
        const int items = 3000, dim = 48;
        var matrix = Blobs.Make("text", items, dim, items, seed);
        var random = new Random(seed);
        for (int item = 0; item < items; item++)
        {
            float length = (float)Math.Exp(3 * (random.NextDouble() - 0.5) * random.NextDouble());
            foreach (ref float value in matrix.Data.AsSpan(item * dim, dim))
            {
                value *= length;
            }
        }

        // Not fused: that brings every row to one length, which residuals do not have.
        var fused = new FusedEmbeddings(Fusion.Fit([matrix], new FusionOptions()), matrix.Data, matrix.Present);
        var options = new QuantizerOptions { Levels = 1, CodebookSize = 64, BalanceStrength = 0, MinPerplexity = 0 };
        using var lloyd = QuantizerTrainer.Train(fused, options with { BalanceRounds = 0 }, seed, null, default);
        using var plain = QuantizerTrainer.Train(fused, options, seed, null, default);
        var (alone, spread) = (lloyd.EncodeCatalogue(fused).Report, plain.EncodeCatalogue(fused).Report);
        Assert.True(
            spread.Levels[0].Perplexity > 2 * alone.Levels[0].Perplexity && spread.ReconstructionError < alone.ReconstructionError,
            $"perplexity {spread.Levels[0].Perplexity} and {alone.Levels[0].Perplexity}, "
            + $"error {spread.ReconstructionError} and {alone.ReconstructionError}");
    }

    [Fact]
    public void Codes_that_no_row_has_are_put_on_rows_and_take_none_over_whole()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var codebooks = new ResidualCodebooks([6], 2);
        codebooks.Codes[0].copy_(tensor(new float[] { 0, 0, 10, 10, 99, 99, 99, 99, 99, 99, 99, 99 }, [6, 2]));
        codebooks.Prices[0].copy_(tensor(new[] { 1f, 2f, 0, 0, 0, 0 }));
        float[] rows = [0, 1, 0, 1, 0, -1, 1, 0, 10, 11, 10, 12]; // four different ones near the first code, two near the second
        var input = tensor(rows.Concat(rows).ToArray(), [12, 2]);
        CodeRevival.Spread(codebooks, 0, input);
        var counts = bincount(codebooks.Nearest(input, 0), minlength: 6).data<long>().ToArray();
        Assert.Equal(5, counts.Count(count => count > 0)); // as many as different rows
        var fromFirst = codebooks.Codes[0].data<float>().ToArray().Chunk(2).Zip(codebooks.Prices[0].data<float>().ToArray());
        Assert.All(fromFirst.Skip(2).Where(code => code.First[0] < 9), code => Assert.Equal(1f, code.Second)); // its donor's price
    }

    [Fact]
    public void A_level_under_the_bound_is_a_typed_failure_that_names_all_that_it_takes()
    {
        var fused = Blobs.Fused(500, 8, 5, 1, noise: 0.02); // five dense clusters, no balance: 16 codes cannot be even
        var options = new QuantizerOptions { Levels = 2, CodebookSize = 64, BalanceStrength = 0, MinPerplexity = 0.99 };
        var collapsed = Assert.Throws<CatalogException>(() => QuantizerTrainer.Train(fused, options, 1, null, default));
        Assert.Equal(Fault.FailedPrecondition, collapsed.Fault);
        Assert.Matches(
            @"level 0 .*perplexity is \d+\.\d\d over 500 .*min_perplexity 0\.99 .*at least 63\.36 .*balance_strength", collapsed.Message);
        using var unbounded = QuantizerTrainer.Train(fused, options with { MinPerplexity = 0 }, 1, null, default);
        using var untrained = QuantizerTrainer.Train(fused, options with { Kind = QuantizerKind.Random }, 1, null, default);
    }

    [Theory]
    [InlineData("0,0 0,0 0,0 0,0", 0.3, 0)] // all on one code
    [InlineData("0,0 1,1 0,0 1,1", 0.45, null)] // even halves of four
    [InlineData("0,0 0,0 0,0 1,0", 0.4, 1)] // level 0 has 1.75 of 4, level 1 one of three
    [InlineData("0,0 0,1 0,2 1,0", 0.4, null)]
    [InlineData("0,0 1,0 2,0 3,0", 0.9, null)] // told apart by level 0: level 1 has nothing to say
    public void The_bound_counts_the_vectors_that_are_still_together(string tuples, double bound, int? level)
    {
        ushort[] codes = [.. tuples.Split(' ').SelectMany(tuple => tuple.Split(',').Select(ushort.Parse))];
        float[] rows = [1, 2, 3, 4];
        AssertCheck(rows, codes, bound, level);
        // Nine more of the first item change nothing: they can have no other codes.
        AssertCheck(
            [.. Enumerable.Repeat(1f, 9), .. rows], [.. Enumerable.Repeat(codes[..2], 9).SelectMany(c => c), .. codes], bound, level);
    }

    private static void AssertCheck(float[] rows, ushort[] codes, double bound, int? level)
    {
        var error = Record.Exception(() => CollapseCheck.Check(rows, 1, codes, [4, 4], bound));
        Assert.Equal(level is null, error is null);
        if (level is not null)
        {
            Assert.Contains($"level {level} ", error!.Message, StringComparison.Ordinal);
        }
    }

    private static void AssertUsed(
        FusedEmbeddings fused, QuantizerKind kind, CodebookUpdate update, GradientEstimator estimator, int seed) =>
        AssertUsed(
            fused,
            Options with { Kind = kind, RqVae = Options.RqVae with { CodebookUpdate = update, GradientEstimator = estimator } },
            seed);

    private static void AssertUsed(FusedEmbeddings fused, QuantizerOptions options, int seed)
    {
        using var codebook = QuantizerTrainer.Train(fused, options, seed, null, default);
        var levels = codebook.EncodeCatalogue(fused).Report.Levels;
        Assert.All(levels, level => Assert.True(
            level.Usage >= 0.95, $"{options} seed {seed}: {level.Used} of {level.Size}"));
    }

    /// <summary>Every second item is one of five, in all likelihood the same as another; the rest lie around twelve centres.</summary>
    private static FusedEmbeddings Duplicates(int seed)
    {
        var matrix = Blobs.Make("text", Items, Dim, 12, seed, noise: 0.4);
        for (int item = Distinct; item < Items; item++)
        {
            matrix.Row(item % 5).CopyTo(matrix.Data.AsSpan(item * Dim));
        }

        return Blobs.Fuse(matrix);
    }
}
