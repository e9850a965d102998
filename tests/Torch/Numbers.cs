namespace Recsys.Torch.Tests;

/// <summary>Short cuts of these tests: elements as doubles, and comparison within a tolerance.</summary>
internal static class Numbers
{
    public static double[] Doubles(this Tensor t)
    {
        using var scope = NewDisposeScope();
        var wide = t.detach().to(ScalarType.Float64);
        return wide.data<double>().ToArray();
    }

    public static long[] Longs(this Tensor t)
    {
        using var scope = NewDisposeScope();
        var wide = t.to(ScalarType.Int64);
        return wide.data<long>().ToArray();
    }

    public static void Close(IEnumerable<double> expected, Tensor actual, double tolerance = 1e-6)
    {
        var e = expected.ToArray();
        var a = actual.Doubles();
        Assert.Equal(e.Length, a.Length);
        for (var i = 0; i < e.Length; i++)
        {
            Assert.True(Math.Abs(e[i] - a[i]) <= tolerance * Math.Max(1, Math.Abs(e[i])), $"element {i}: expected {e[i]}, got {a[i]}");
        }
    }

    public static void Close(Tensor expected, Tensor actual, double tolerance = 1e-6)
    {
        Assert.Equal(expected.shape, actual.shape);
        Close(expected.Doubles(), actual, tolerance);
    }

    public static Tensor Random(long[] shape, ulong seed = 1, double low = -1, double high = 1)
    {
        using var g = new Generator(seed);
        return rand(shape, dtype: ScalarType.Float64, generator: g).mul_(high - low).add_(low);
    }
}
