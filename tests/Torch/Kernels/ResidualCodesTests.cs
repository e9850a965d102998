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
        foreach (ushort[] found in new[] { settled.Encode(x, beam), settled.Search(x, beam) }) // a beam of 1 has two ways
        {
            AssertBest(x, codes, prices, beam, found, 1e-4);
        }
    }

    /// <summary>Products in bf16 cannot tell these codes apart.</summary>
    [Theory]
    [InlineData(1.0, 0.01)]
    [InlineData(1.0, 0.001)]
    [InlineData(1e4, 10.0)]
    [InlineData(1e-6, 1e-9)]
    public void Codes_that_differ_by_less_than_bf16_are_told_apart(double scale, double apart)
    {
        using var scope = NewDisposeScope();
        var centre = Random(1, 1, 40);
        var codes = ((centre * scale) + (Random(2, 200, 40) * apart)).to(ScalarType.Float32);
        var x = ((centre * scale) + (Random(3, 60, 40) * apart)).to(ScalarType.Float32);
        using var settled = new ResidualCodes([codes], [zeros(200)]);
        double rounding = 4e-7 * scale * scale * 40; // of a square of that length in float32
        AssertBest(x, [codes], [zeros(200)], 1, settled.Encode(x, 1), rounding);
    }

    [Theory]
    [InlineData(1, 5, 3)]
    [InlineData(700, 256, 32)]
    [InlineData(90, 60_000, 7)] // blocks of rows without the loops
    public void The_nearest_of_codes_that_change_are_those_of_the_operators(int rows, int size, int width)
    {
        using var scope = NewDisposeScope();
        var (x, codes) = (Random(1, rows, width).to(ScalarType.Float32), Random(2, size, width).to(ScalarType.Float32));
        var prices = Random(3, size).to(ScalarType.Float32) * 0.1;
        var found = NearestCodes.Of(x, codes, prices);
        Assert.Equal(NearestCodes.Composed(x, codes, prices).data<long>().ToArray(), found.data<long>().ToArray());
        var outside = new long[rows];
        NearestCodes.Of(Tensors.Values<float>(x), Tensors.Values<float>(codes), width, outside);
        Assert.Equal(NearestCodes.Composed(x, codes, zeros(size)).data<long>().ToArray(), outside);
    }

    [Fact]
    public void A_row_that_is_no_number_gets_a_code_that_there_is()
    {
        using var scope = NewDisposeScope();
        using var settled = new ResidualCodes([Random(1, 7, 3).to(ScalarType.Float32)], [zeros(7)]);
        Assert.All(settled.Encode(full([2, 3], float.NaN), 1), code => Assert.InRange(code, 0, 6));
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

    private static void AssertBest(Tensor x, Tensor[] codes, Tensor[] prices, int beam, ushort[] found, double rounding)
    {
        var rows = Rows(x);
        Assert.Equal(rows.Length * codes.Length, found.Length);
        var books = codes.Select(Rows).ToArray();
        var costs = prices.Select(level => level.data<float>().ToArray()).ToArray();
        for (int row = 0; row < rows.Length; row++)
        {
            int[] tuple = [.. found.Skip(row * codes.Length).Take(codes.Length).Select(code => (int)code)];
            int[] expected = Best(rows[row], books, costs, beam);
            if (!tuple.SequenceEqual(expected)) // two tuples may cost the same, but for rounding
            {
                Assert.Equal(Cost(rows[row], books, costs, expected), Cost(rows[row], books, costs, tuple), rounding);
            }
        }
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
