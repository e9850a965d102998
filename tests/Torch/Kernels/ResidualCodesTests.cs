using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>Against the steps written out in doubles: what is left over, its distances, and the best tuples of each level.</summary>
public sealed class ResidualCodesTests
{
    [Theory]
    [InlineData(new[] { 256, 256, 256 }, 24, 1)]
    [InlineData(new[] { 256, 256, 256 }, 24, 5)]
    [InlineData(new[] { 7, 130, 16 }, 9, 1)] // levels that fill no vector
    [InlineData(new[] { 7, 130, 16 }, 9, 20)] // more beams than the first level has codes
    [InlineData(new[] { 1, 3 }, 2, 2)]
    [InlineData(new[] { 500 }, 33, 3)]
    public void Codes_are_those_of_the_steps_written_out(int[] sizes, int dim, int beam)
    {
        using var scope = NewDisposeScope();
        var codes = sizes.Select((size, level) => Random((ulong)level, size, dim).to(ScalarType.Float32) / (level + 1)).ToArray();
        var prices = sizes.Select((size, level) => Random((ulong)(20 + level), size).to(ScalarType.Float32) * 0.1).ToArray();
        var x = Random(40, 60, dim).to(ScalarType.Float32);
        using var settled = new ResidualCodes(codes, prices);
        ushort[] found = settled.Encode(x, beam);
        Assert.Equal(60 * sizes.Length, found.Length);
        float[][] rows = Rows(x);
        var books = codes.Select(Rows).ToArray();
        var costs = prices.Select(level => level.data<float>().ToArray()).ToArray();
        for (int row = 0; row < 60; row++)
        {
            int[] tuple = [.. found.Skip(row * sizes.Length).Take(sizes.Length).Select(code => (int)code)];
            int[] expected = Best(rows[row], books, costs, beam);
            if (!tuple.SequenceEqual(expected)) // two tuples may cost the same, but for rounding
            {
                Assert.Equal(Cost(rows[row], books, costs, expected), Cost(rows[row], books, costs, tuple), 1e-4);
            }
        }
    }

    [Fact]
    public void Of_equal_costs_the_smallest_codes_are_taken()
    {
        using var scope = NewDisposeScope();
        var twice = cat([ones(2, 3), ones(2, 3), zeros(30, 3) + 9], 0);
        using var settled = new ResidualCodes([twice, twice], [zeros(34), zeros(34)]);
        Assert.Equal([0, 0, 0, 0], settled.Encode(ones(2, 3), 1));
        Assert.Equal([0, 0, 0, 0], settled.Encode(ones(2, 3), 3));
    }

    [Fact]
    public void A_row_has_the_codes_among_many_that_it_has_alone_and_with_any_number_of_threads()
    {
        using var scope = NewDisposeScope();
        Tensor[] codes = [Random(1, 256, 20).to(ScalarType.Float32), Random(2, 256, 20).to(ScalarType.Float32)];
        using var settled = new ResidualCodes(codes, [zeros(256), zeros(256)]);
        var x = Random(3, 640, 20).to(ScalarType.Float32);
        ushort[] all = settled.Encode(x, 4);
        Assert.Equal(all[..128], settled.Encode(x.narrow(0, 0, 64), 4));
        int before = get_num_threads();
        try
        {
            set_num_threads(1);
            Assert.Equal(all, settled.Encode(x, 4));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Shapes_and_beams_that_do_not_fit_are_refused_with_value_and_limit()
    {
        using var scope = NewDisposeScope();
        Refused("[size, dim] and [size]", () => new ResidualCodes([zeros(4, 3)], [zeros(5)]));
        Refused("[size, dim] and [size]", () => new ResidualCodes([zeros(4, 3), zeros(4, 2)], [zeros(4), zeros(4)]));
        using var settled = new ResidualCodes([zeros(4, 3)], [zeros(4)]);
        Refused("[2, 4] on cpu; it must be Float32 [n, 3]", () => settled.Encode(zeros(2, 4), 1));
        Refused("The beam is 0; allowed are 1 to 1024", () => settled.Encode(zeros(2, 3), 0));
    }

    private static float[][] Rows(Tensor x) => [.. x.contiguous().data<float>().ToArray().Chunk((int)x.size(1))];

    private static double Cost(float[] x, float[][][] books, float[][] prices, int[] tuple)
    {
        double[] rest = [.. x.Select(value => (double)value)];
        double paid = 0;
        foreach (var (level, code) in tuple.Index())
        {
            rest = [.. rest.Zip(books[level][code], (left, value) => left - value)];
            paid += prices[level][code];
        }

        return rest.Sum(value => value * value) + paid;
    }

    private static int[] Best(float[] x, float[][][] books, float[][] prices, int beam)
    {
        List<int[]> kept = [[]];
        for (int level = 0; level < books.Length; level++)
        {
            kept = [.. kept.SelectMany(tuple => Enumerable.Range(0, books[level].Length).Select(code => (int[])[.. tuple, code]))
                .OrderBy(tuple => Cost(x, books, prices, tuple)).Take(beam)];
        }

        return kept[0];
    }
}
