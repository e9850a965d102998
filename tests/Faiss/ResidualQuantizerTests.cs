namespace Recsys.Faiss.Tests;

public class ResidualQuantizerTests
{
    private const int Dim = 12;
    private static readonly int[] Bits = [5, 4, 2];
    private static readonly float[] Data = Points.Clustered(500, Dim, seed: 1);

    [Fact]
    public void Beam_1_is_the_greedy_choice_of_the_nearest_entry_at_each_level()
    {
        using var rq = ResidualQuantizer.Train(Data, Dim, Bits);
        float[] codebooks = rq.Codebooks(), residual = [.. Data];
        int[] codes = rq.Encode(Data, beam: 1);
        for (int level = 0, offset = 0; level < 3; offset += 1 << Bits[level++])
        {
            float[] book = codebooks[(offset * Dim)..((offset + (1 << Bits[level])) * Dim)];
            for (int i = 0; i < 500; i++)
            {
                ReadOnlySpan<float> chosen = Points.Row(book, codes[(i * 3) + level], Dim), rest = Points.Row(residual, i, Dim);
                Assert.Equal(Points.Nearest(book, rest, 1)[0].Distance, Points.Squared(rest, chosen), 1e-4);
                for (int j = 0; j < Dim; j++)
                {
                    residual[(i * Dim) + j] -= chosen[j];
                }
            }
        }
    }

    [Fact]
    public void A_wider_beam_has_no_larger_error_at_equal_codebooks_and_a_full_one_finds_the_best_of_all_combinations()
    {
        using var rq = ResidualQuantizer.Train(Data, Dim, [3, 2, 2]);
        double[] errors = [.. new[] { 1, 2, 5, 32 }.Select(beam => Error(rq, beam))];
        Assert.Equal(errors.OrderDescending(), errors);
        int[] all = [.. Enumerable.Range(0, 128).SelectMany(code => new[] { code >> 4, (code >> 2) & 3, code & 3 })];
        float[] sums = Points.Sums(rq, all);
        double best = Enumerable.Range(0, 500).Sum(i => Points.Nearest(sums, Points.Row(Data, i, Dim), 1)[0].Distance);
        Assert.Equal(best, errors[^1], 1e-3);
        Assert.True(errors[0] > best * 1.001, $"greedy's error {errors[0]} leaves nothing to find beyond {best}");
    }

    [Fact]
    public void A_beam_wider_than_all_combinations_is_cut_to_them()
    {
        using var rq = ResidualQuantizer.FromCodebooks([0, 10, 0, 1, 2, 3], 1, [1, 2]); // 0 or 10, then 0 … 3
        Assert.Equal([0, 2, 1, 1, 1, 3], rq.Encode([2.1f, 11.2f, 40], beam: 1000));
        using var single = ResidualQuantizer.FromCodebooks([-1, 1], 1, [1]);
        Assert.Equal([1, 0, 1, 0], single.Encode([5, -5, .1f, -.1f], beam: 5));
    }

    [Fact]
    public void Given_codebooks_encode_as_the_quantizer_they_came_from_row_by_row_as_in_one_batch()
    {
        using var trained = ResidualQuantizer.Train(Data, Dim, Bits);
        using var given = ResidualQuantizer.FromCodebooks(trained.Codebooks(), Dim, Bits);
        int[] codes = trained.Encode(Data, beam: 4);
        Assert.Equal(codes, given.Encode(Data, beam: 4));
        Assert.Equal(codes, Enumerable.Range(0, 500).SelectMany(i => given.Encode(Points.Row(Data, i, Dim), beam: 4)));
        Assert.Equal([5, 4, 2], given.Bits);
    }

    [Fact]
    public void Same_seed_gives_the_same_codebooks_and_another_seed_others()
    {
        float[] Run(int seed)
        {
            using var rq = ResidualQuantizer.Train(Data, Dim, Bits, new ResidualQuantizerOptions { Seed = seed, MaxBeam = 2 });
            return rq.Codebooks();
        }

        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Fact]
    public void No_rows_have_no_codes()
    {
        using var rq = ResidualQuantizer.FromCodebooks([0, 1], 1, [1]);
        Assert.Empty(rq.Encode([], beam: 5));
    }

    [Fact]
    public void Wrong_arguments_are_typed_errors_that_name_the_value()
    {
        using var rq = ResidualQuantizer.FromCodebooks(new float[6 * 3], 3, [1, 2]);
        Points.Refuses("multiple of the dimension 3", () => rq.Encode(new float[4], 1));
        Points.Refuses("row 0, component 2 is NaN", () => rq.Encode([1, 2, float.NaN], 1));
        Points.Refuses("beam is 0", () => rq.Encode(new float[3], 0));
        Points.Refuses("rows of all codebooks is 5", () => ResidualQuantizer.FromCodebooks(new float[15], 3, [1, 2]));
        Points.Refuses("training rows is 500, but must be between 512", () => ResidualQuantizer.Train(Data, Dim, [2, 9]));
        Points.Refuses("bits of level 1 is 17", () => ResidualQuantizer.Train(Data, Dim, [2, 17]));
        Points.Refuses("number of levels is 0", () => ResidualQuantizer.Train(Data, Dim, []));
    }

    private static double Error(ResidualQuantizer rq, int beam)
    {
        float[] back = Points.Sums(rq, rq.Encode(Data, beam));
        return Enumerable.Range(0, 500).Sum(i => Points.Squared(Points.Row(Data, i, Dim), Points.Row(back, i, Dim)));
    }
}
