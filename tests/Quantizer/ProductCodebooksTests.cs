using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

public class ProductCodebooksTests
{
    private static readonly QuantizerOptions Options = new()
    {
        Kind = QuantizerKind.OptimisedProduct, Levels = 3, CodebookSize = 16, BalanceStrength = 0,
    };

    [Fact]
    public void Each_part_gets_its_nearest_code_and_the_codes_lie_side_by_side()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        const int dim = 7, levels = 3, size = 9;
        using var codebooks = new ProductCodebooks([size, size, size], dim);
        Assert.Equal([2, 2, 3], codebooks.Widths);
        var values = codebooks.Widths.Select((width, level) => ResidualCodebooksTests.Floats(size * width, 10 + level)).ToArray();
        for (int level = 0; level < levels; level++)
        {
            codebooks.Codes[level].copy_(tensor(values[level], codebooks.Codes[level].shape));
        }

        var x = ResidualCodebooksTests.Floats(40 * dim, 1);
        var codes = codebooks.Encode(tensor(x, [40, dim]));
        var decoded = codebooks.Decode(codes);
        int[] offsets = [0, 2, 4];
        for (int item = 0; item < 40; item++)
        {
            for (int level = 0; level < levels; level++)
            {
                int width = codebooks.Widths[level];
                double Distance(int j) => Enumerable.Range(0, width)
                    .Sum(k => Math.Pow(x[(item * dim) + offsets[level] + k] - values[level][(j * width) + k], 2));
                int best = Enumerable.Range(0, size).MinBy(Distance);
                Assert.Equal(best, codes[item, level].ToInt64());
                for (int k = 0; k < width; k++)
                {
                    Assert.Equal(values[level][(best * width) + k], decoded[item, offsets[level] + k].ToSingle());
                }
            }
        }
    }

    [Fact]
    public void The_learned_rotation_is_orthogonal_and_spreads_what_stands_in_one_part()
    {
        var fused = Unequal();
        double plain = Error(fused, Options with { Kind = QuantizerKind.Product });
        using var codebook = QuantizerTrainer.Train(fused, Options, 1, null, default);
        double rotated = codebook.EncodeCatalogue(fused).Report.ReconstructionError;
        Assert.True(rotated < 0.8 * plain, $"opq {rotated}, pq {plain}");
        var rotation = ((RotatedCodebooks)codebook.Model).Rotation;
        Assert.True(rotation.t().matmul(rotation).allclose(eye(12), 1e-4, 1e-4));
    }

    [Fact]
    public void Turns_of_codes_and_rotation_lower_the_error_of_the_first_rotation()
    {
        var fused = Correlated();
        double first = Error(fused, Options with { Opq = new OpqOptions { Iterations = 0 } });
        double after = Error(fused, Options with { Opq = new OpqOptions { Iterations = 30 } });
        Assert.True(after < first, $"{after} after 30 turns, {first} before");
    }

    private static double Error(FusedEmbeddings fused, QuantizerOptions options)
    {
        using var codebook = QuantizerTrainer.Train(fused, options, 1, null, default);
        return codebook.EncodeCatalogue(fused).Report.ReconstructionError;
    }

    /// <summary>Nearly all that differs between items stands in the first part.</summary>
    private static FusedEmbeddings Unequal()
    {
        var data = Blobs.Make("s", 1200, 12, 1, 5, noise: 1).Data.Select((value, i) => i % 12 < 4 ? value : value * 0.1f).ToArray();
        return Blobs.Fuse(new Recsys.Catalog.EmbeddingMatrix("text", 12, data, [.. Enumerable.Repeat(true, 1200)]));
    }

    /// <summary>Twelve values that are mixtures of five, of very unequal weight: no part is independent of another.</summary>
    private static FusedEmbeddings Correlated()
    {
        var random = new Random(3);
        var mix = Enumerable.Range(0, 5 * 12).Select(_ => random.NextDouble() - 0.5).ToArray();
        var source = Blobs.Make("s", 1200, 5, 1, 4, noise: 1).Data;
        var data = new float[1200 * 12];
        for (int i = 0; i < data.Length; i++)
        {
            data[i] = (float)Enumerable.Range(0, 5).Sum(k => source[(i / 12 * 5) + k] / (k + 1) * mix[(k * 12) + (i % 12)]);
        }

        return Blobs.Fuse(new Recsys.Catalog.EmbeddingMatrix("text", 12, data, [.. Enumerable.Repeat(true, 1200)]));
    }
}
