using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

public class ScalarAutoencoderTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(256)]
    [InlineData(1024)]
    [InlineData(65_536)]
    public void Values_for_a_size_fill_it_without_going_over(int size)
    {
        var values = ScalarAutoencoder.ValuesFor(size);
        Assert.All(values, value => Assert.True(value >= 2));
        Assert.InRange(values.Aggregate(1L, (product, value) => product * value), Math.Ceiling(0.7 * size), size);
        Assert.True(values.Max() - values.Min() <= 1);
    }

    [Fact]
    public void Rounded_values_and_codes_are_those_of_the_papers_formula()
    {
        using var scope = NewDisposeScope();
        int[][] values = [[8, 6, 5], [3, 4]];
        using var model = Identity(5, values, signs: false);
        Assert.Equal([240, 12], model.Sizes);
        var z = ResidualCodebooksTests.Floats(300 * 5, 1).Select(v => v * 3).ToArray();
        var x = tensor(z, [300, 5]);
        var (quantised, codes) = (model.Quantised(x), model.Encode(x));
        int[] flat = [8, 6, 5, 3, 4];
        var seen = new HashSet<long>();
        for (int row = 0; row < 300; row++)
        {
            var digits = new long[5];
            for (int i = 0; i < 5; i++)
            {
                double half = (flat[i] - 1) * 1.001 / 2, offset = flat[i] % 2 == 0 ? 0.5 : 0;
                double bounded = (Math.Tanh(z[(row * 5) + i] + (offset == 0 ? 0 : Math.Atanh(offset / half))) * half) - offset;
                double rounded = Math.Round(bounded);
                Assert.Equal(rounded / (flat[i] / 2), quantised[row, i].ToDouble(), 4);
                digits[i] = (long)rounded + (flat[i] / 2);
                Assert.InRange(digits[i], 0, flat[i] - 1);
            }

            Assert.Equal((((digits[0] * 6) + digits[1]) * 5) + digits[2], codes[row, 0].ToInt64());
            Assert.Equal((digits[3] * 4) + digits[4], codes[row, 1].ToInt64());
            seen.Add(codes[row, 0].ToInt64());
        }

        Assert.True(seen.Count > 60); // or the loop has compared one code three hundred times
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_code_is_read_back_as_a_latent_of_its_own_the_quantised_one(bool signs)
    {
        using var scope = NewDisposeScope();
        int[][] values = signs ? [[2, 2, 2], [2, 2]] : [[4, 3, 2], [5, 2]];
        using var model = Identity(5, values, signs);
        var all = stack([arange(model.Sizes[0], ScalarType.Int64).repeat_interleave(model.Sizes[1]),
            arange(model.Sizes[1], ScalarType.Int64).repeat(model.Sizes[0])], 1);
        var latents = model.Decode(all);
        var rows = latents.data<float>().ToArray().Chunk(5).Select(row => string.Join(' ', row));
        Assert.Equal(all.shape[0], rows.Distinct().Count());
        Assert.All(latents.data<float>().ToArray(), value => Assert.InRange(value, -1, 1));
        var z = tensor(ResidualCodebooksTests.Floats(200 * 5, 2), [200, 5]) * 2;
        Assert.True(model.Decode(model.Encode(z)).allclose(model.Quantised(z), 1e-5, 1e-6));
    }

    [Fact]
    public void Rounding_has_the_gradient_of_the_bound_and_signs_that_of_the_latent()
    {
        using var scope = NewDisposeScope();
        using var fsq = Identity(1, [[5]], signs: false);
        var z = tensor(new[] { 0.3f }, [1, 1]);
        z.requires_grad = true;
        fsq.Quantised(z).sum().backward();
        double half = 4 * 1.001 / 2;
        Assert.Equal(half * (1 - Math.Pow(Math.Tanh(0.3), 2)) / 2, z.grad![0, 0].ToDouble(), 4);

        using var lfq = Identity(2, [[2, 2]], signs: true);
        var signs = tensor(new[] { -0.2f, 7f }, [1, 2]);
        signs.requires_grad = true;
        var quantised = lfq.Quantised(signs);
        Assert.Equal([-1f, 1f], quantised.data<float>().ToArray());
        (quantised * tensor(new[] { 3f, 5f })).sum().backward();
        Assert.Equal([3f, 5f], signs.grad!.data<float>().ToArray());
    }

    [Theory]
    [InlineData(QuantizerKind.FiniteScalar)]
    [InlineData(QuantizerKind.LookupFree)]
    public void Trained_codes_say_far_more_than_random_ones_and_are_spread(QuantizerKind kind)
    {
        var fused = Blobs.Fused(1500, 12, 40, 2);
        var options = new QuantizerOptions
        {
            Kind = kind, Levels = 2, CodebookSize = 16,
            RqVae = new RqVaeOptions { Hidden = [48], Epochs = 60, WarmUpEpochs = 8, BatchSize = 128 },
        };
        using var codebook = QuantizerTrainer.Train(fused, options, 1, null, default);
        var report = codebook.EncodeCatalogue(fused).Report;
        Assert.True(report.ReconstructionError < 0.7, $"error {report.ReconstructionError}");
        Assert.All(report.Levels, level => Assert.True(level.Usage >= 0.8, $"usage {level.Usage}"));
        Assert.True(report.DistinctCodes >= 40, $"distinct {report.DistinctCodes}");
    }

    /// <summary>Encoder and decoder that pass values through.</summary>
    private static ScalarAutoencoder Identity(int dim, int[][] values, bool signs)
    {
        var model = new ScalarAutoencoder(dim, [], values, signs);
        using var _ = no_grad();
        foreach (string part in new[] { "encoder", "decoder" })
        {
            model.get_parameter($"{part}.linear0.weight")!.copy_(eye(dim));
            model.get_parameter($"{part}.linear0.bias")!.zero_();
        }

        return model;
    }
}
