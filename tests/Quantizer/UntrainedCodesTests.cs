using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

public class UntrainedCodesTests
{
    [Fact]
    public void Two_vectors_differ_in_a_bit_with_probability_angle_over_pi()
    {
        using var scope = NewDisposeScope();
        using var model = UntrainedCodes.DrawHyperplanes(Rows(64, 8, 1), [1 << 16, 1 << 16, 1 << 16, 1 << 16, 1 << 16, 1 << 16], 3);
        foreach (double angle in new[] { 0.2, 0.8, 1.6, 2.8 })
        {
            var pair = zeros(2, 8);
            using (no_grad())
            {
                pair[0, 0] = 1f;
                pair[1, 0] = (float)Math.Cos(angle);
                pair[1, 5] = (float)Math.Sin(angle);
            }

            var sides = model.Sides(pair);
            double differ = (sides[0] != sides[1]).to(ScalarType.Float32).mean().ToDouble(); // of 96 bits
            Assert.Equal(angle / Math.PI, differ, tolerance: 0.16);
        }
    }

    [Fact]
    public void Codes_are_the_sides_of_the_hyperplanes_as_bits()
    {
        using var scope = NewDisposeScope();
        var x = Rows(50, 6, 2);
        using var model = UntrainedCodes.DrawHyperplanes(x, [8, 4], 5);
        var (codes, normals) = (model.Encode(x), model.Normals);
        for (int row = 0; row < 50; row++)
        {
            int Bit(int bit) => Enumerable.Range(0, 6).Sum(k => x[row, k].ToDouble() * normals[bit, k].ToDouble()) > 0 ? 1 : 0;
            Assert.Equal((Bit(0) * 4) + (Bit(1) * 2) + Bit(2), codes[row, 0].ToInt64());
            Assert.Equal((Bit(3) * 2) + Bit(4), codes[row, 1].ToInt64());
        }

        Assert.True(model.Decode(codes).allclose(model.Sides(x).matmul(model.Decoder), 1e-5, 1e-6));
    }

    [Fact]
    public void Sides_of_many_hyperplanes_are_read_back_and_random_codes_are_the_middle()
    {
        var fused = Blobs.Fused(800, 8, 40, 5);
        var options = new QuantizerOptions { Kind = QuantizerKind.Hyperplanes, Levels = 3, CodebookSize = 256 };
        Assert.InRange(Report(fused, options).ReconstructionError, 0, 0.35);
        Assert.Equal(1, Report(fused, options with { Kind = QuantizerKind.Random }).ReconstructionError, 3);
    }

    [Fact]
    public void Random_codes_are_even_independent_of_each_other_and_of_the_vectors_nearness()
    {
        using var scope = NewDisposeScope();
        var x = Rows(8000, 6, 3);
        using var model = UntrainedCodes.DrawHash(x, [10, 7], 11);
        var codes = model.Encode(x);
        var joint = (codes.select(1, 0) * 7) + codes.select(1, 1);
        double expected = 8000 / 70.0;
        double chi = bincount(joint, minlength: 70).data<long>().ToArray().Sum(count => Math.Pow(count - expected, 2) / expected);
        Assert.InRange(chi, 35, 115); // 69 degrees of freedom: 99.9 % lie between 36 and 111
        var near = model.Encode(x + 1e-3);
        double same = (near.select(1, 0) == codes.select(1, 0)).to(ScalarType.Float32).mean().ToDouble();
        Assert.Equal(0.1, same, tolerance: 0.02);
        Assert.True(model.Encode(x.clone()).equal(codes).all().ToBoolean());
    }

    private static QuantizerReport Report(FusedEmbeddings fused, QuantizerOptions options)
    {
        using var codebook = QuantizerTrainer.Train(fused, options, 1, null, default);
        return codebook.EncodeCatalogue(fused).Report;
    }

    private static Tensor Rows(int n, int dim, int seed) => tensor(Blobs.Make("x", n, dim, 1, seed, noise: 1).Data, [n, dim]);
}
