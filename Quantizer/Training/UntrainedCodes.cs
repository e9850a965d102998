using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>Codes that are drawn, not learned.</summary>
internal static class UntrainedCodes
{
    private const double Ridge = 1e-3; // of a side's share of the rows: bits that agree on all rows would leave the map open

    /// <summary>Draws normals, and fits by least squares the map from sides back to vectors, which no code depends on.</summary>
    /// <param name="x">[n, dim]</param>
    public static Hyperplanes DrawHyperplanes(Tensor x, IReadOnlyList<int> sizes, long seed)
    {
        using var _ = no_grad();
        using var generator = new Generator((ulong)seed);
        var model = new Hyperplanes((int)x.shape[1], sizes);
        using var scope = NewDisposeScope();
        model.Normals.copy_(randn(model.Normals.shape, generator: generator));
        model.MoveTo(x.device);
        long bits = model.Normals.shape[0];
        var gram = zeros(bits, bits, ScalarType.Float64, x.device);
        var cross = zeros(bits, x.shape[1], ScalarType.Float64, x.device);
        const long block = 8192;
        for (long from = 0; from < x.shape[0]; from += block)
        {
            using var blockScope = NewDisposeScope();
            var rows = x.narrow(0, from, Math.Min(block, x.shape[0] - from));
            var sides = model.Sides(rows).to(ScalarType.Float64);
            gram.add_(sides.t().matmul(sides));
            cross.add_(sides.t().matmul(rows.to(ScalarType.Float64)));
        }

        gram.add_(eye(bits, dtype: ScalarType.Float64, device: x.device) * (Ridge * x.shape[0]));
        model.Decoder.copy_(linalg.solve(gram, cross));
        return model;
    }

    /// <param name="x">[n, dim]</param>
    public static RandomCodes DrawHash(Tensor x, IReadOnlyList<int> sizes, long seed)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var random = new Random(Seeds.ToInt32(seed));
        var model = new RandomCodes((int)x.shape[1], sizes);
        long[] factors = [.. Enumerable.Range(0, sizes.Count * (int)x.shape[1]).Select(_ => random.NextInt64() | 1)];
        model.Factors.copy_(tensor(factors, [sizes.Count, x.shape[1]]));
        model.Mean.copy_(x.mean([0]).cpu());
        model.MoveTo(x.device);
        return model;
    }
}
