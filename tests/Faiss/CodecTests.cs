namespace Recsys.Faiss.Tests;

public sealed class CodecTests
{
    private const int Dim = 8;

    [Theory]
    [InlineData("PQ4x6")]
    [InlineData("PQ2x8")]
    [InlineData("PQ8x3")]
    [InlineData("PQ1x11")]
    public void A_product_code_names_the_nearest_entry_of_every_part(string description)
    {
        float[] train = KMeansTests.Gaussian(2500, seed: 1), data = KMeansTests.Gaussian(50, seed: 2);
        using var codec = (ProductQuantizerIndex)VectorIndex.Create(description, Dim);
        codec.Train(train);
        float[] books = codec.Codebooks(); // [parts, entries, width]
        int parts = codec.CodesPerVector, entries = 1 << codec.Bits, width = Dim / parts;
        Assert.Equal(parts * entries * width, books.Length);

        int[] codes = codec.Assign(data);
        float[] back = codec.Decode(codec.Encode(data));

        for (int i = 0; i < 50 * parts; i++)
        {
            float[] piece = data[(i * width)..((i + 1) * width)];
            float[] Entry(int e) => books[((((i % parts) * entries) + e) * width)..((((i % parts) * entries) + e + 1) * width)];
            double least = Enumerable.Range(0, entries).Min(e => KMeansTests.Squared(piece, Entry(e)));
            Assert.Equal(least, KMeansTests.Squared(piece, Entry(codes[i])), 1e-5);
            Assert.Equal(Entry(codes[i]), back[(i * width)..((i + 1) * width)]);
        }

        Assert.Equal(back, codec.Reconstruct(codes));
    }

    [Fact]
    public void A_residual_code_sums_one_entry_a_level_and_a_beam_of_one_is_greedy()
    {
        float[] train = KMeansTests.Gaussian(1000, seed: 1), data = KMeansTests.Gaussian(40, seed: 2);
        using var codec = new ResidualQuantizerIndex(Dim, levels: 3, bits: 5, beam: 1);
        codec.Train(train);
        float[] books = codec.Codebooks(); // [levels, 32, dim]
        int[] codes = codec.Assign(data);
        float[] back = codec.Reconstruct(codes);
        for (int i = 0; i < 40; i++)
        {
            float[] rest = data[(i * Dim)..((i + 1) * Dim)], sum = new float[Dim];
            for (int level = 0; level < 3; level++)
            {
                float[] Entry(int e) => books[(((level * 32) + e) * Dim)..(((level * 32) + e + 1) * Dim)];
                int nearest = Enumerable.Range(0, 32).MinBy(e => KMeansTests.Squared(rest, Entry(e)));
                Assert.Equal(nearest, codes[(i * 3) + level]);
                rest = [.. rest.Zip(Entry(nearest), (a, b) => a - b)];
                sum = [.. sum.Zip(Entry(nearest), (a, b) => a + b)];
            }

            Assert.All(Enumerable.Range(0, Dim), j => Assert.Equal(sum[j], back[(i * Dim) + j], 1e-5));
        }
    }

    [Fact]
    public void A_wider_beam_never_codes_a_training_set_worse()
    {
        float[] data = KMeansTests.Gaussian(1500, seed: 5);
        using var codec = new ResidualQuantizerIndex(Dim, levels: 4, bits: 4, beam: 4);
        codec.Train(data);
        double before = double.MaxValue;
        foreach (int beam in (int[])[1, 4, 16, 64])
        {
            codec.Beam = beam;
            Assert.Equal(beam, codec.Beam);
            double error = KMeansTests.Squared(data, codec.Decode(codec.Encode(data)));
            Assert.True(error <= before * 1.0001, $"beam {beam}: {error} after {before}");
            before = error;
        }

        Assert.Contains("beam 0", Assert.Throws<FaissException>(() => codec.Beam = 0).Message, StringComparison.Ordinal);
        Assert.Contains("beam 1025", Assert.Throws<FaissException>(() => codec.Beam = 1025).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_codes_are_typed_errors()
    {
        using var codec = new ProductQuantizerIndex(Dim, parts: 4, bits: 3);
        codec.Train(KMeansTests.Gaussian(100, seed: 1));
        Assert.Contains("code 8 of vector 0, part 2", Assert.Throws<FaissException>(() => codec.Reconstruct([0, 7, 8, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("code -1", Assert.Throws<FaissException>(() => codec.Reconstruct([0, -1, 0, 0])).Message, StringComparison.Ordinal);
        Assert.Throws<FaissException>(() => codec.Reconstruct([0, 0, 0]));
        Assert.Throws<FaissException>(() => codec.Decode(new byte[codec.CodeBytes + 1]));
        Assert.Throws<FaissException>(() => codec.Encode(new float[Dim - 1]));
        Assert.Empty(codec.Encode([]));
    }
}
