namespace Recsys.Faiss.Tests;

/// <summary>Random matrices, row-major, and the plain arithmetic that FAISS's answers are compared with.</summary>
internal static class Points
{
    public static float[] Gaussian(int rows, int dim, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * dim).Select(_ =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }

    /// <summary>Overlapping clusters: structure for k-means and cells to find, and no ties.</summary>
    public static float[] Clustered(int rows, int dim, int seed)
    {
        float[] noise = Gaussian(rows, dim, seed), centres = Gaussian(30, dim, seed: 99);
        return [.. noise.Select((value, at) => (0.6f * value) + centres[(at / dim % 30 * dim) + (at % dim)])];
    }

    public static ReadOnlySpan<float> Row(float[] x, long row, int dim) => x.AsSpan((int)row * dim, dim);

    /// <summary>What codes [n, levels] stand for, [n, dim]: the sum of one entry of each level's codebook.</summary>
    public static float[] Sums(ResidualQuantizer rq, int[] codes)
    {
        float[] books = rq.Codebooks();
        int[] first = [.. rq.Bits.Select((_, level) => rq.Bits.Take(level).Sum(bits => 1 << bits))];
        return [.. Enumerable.Range(0, codes.Length / rq.Levels * rq.Dim).Select(at => Enumerable.Range(0, rq.Levels).Sum(
            level => books[((first[level] + codes[(at / rq.Dim * rq.Levels) + level]) * rq.Dim) + (at % rq.Dim)]))];
    }

    public static double Squared(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }

        return sum;
    }

    /// <summary>The brute-force twin of a search: the k nearest rows of <paramref name="x"/>, nearest first.</summary>
    public static (long Id, double Distance)[] Nearest(float[] x, ReadOnlySpan<float> query, int k)
    {
        int dim = query.Length;
        float[] q = query.ToArray();
        var all = Enumerable.Range(0, x.Length / dim).Select(i =>
            (Id: (long)i, Distance: Squared(Row(x, i, dim), q)));
        return [.. all.OrderBy(a => a.Distance).Take(k)];
    }

    public static void Near(float[] expected, float[] found, double relative)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double allowed = relative * Math.Max(1, Math.Abs(expected[i]));
            Assert.True(Math.Abs(expected[i] - found[i]) <= allowed, $"{i}: expected {expected[i]:R}, found {found[i]:R}");
        }
    }

    public static void Refuses(string part, Action action) =>
        Assert.Contains(part, Assert.Throws<FaissException>(action).Message, StringComparison.Ordinal);
}
