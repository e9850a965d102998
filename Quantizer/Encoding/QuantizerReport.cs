using Recsys.Catalog;

namespace Recsys.Quantizer.Encoding;

/// <summary>One level's use of its codebook.</summary>
/// <param name="Used">Codes that at least one item has.</param>
/// <param name="Usage">Used / Size.</param>
/// <param name="Perplexity">exp of the entropy of the codes: Size when all are equally frequent, 1 when one takes all.</param>
/// <param name="Counts">[Size] items per code.</param>
public sealed record LevelReport(int Size, int Used, double Usage, double Perplexity, int[] Counts)
{
    /// <summary>How unevenly items lie on the codes: 0 all alike, near 1 one code has them all (Gini coefficient).</summary>
    public double Gini => GiniOf(Array.ConvertAll(Counts, count => (double)count));

    /// <summary>exp of the entropy of shares; 1 where there are none.</summary>
    internal static double PerplexityOf(IEnumerable<double> shares)
    {
        double[] some = [.. shares.Where(share => share > 0)];
        double sum = some.Sum();
        return Math.Exp(-some.Sum(share => share / sum * Math.Log(share / sum)));
    }

    /// <inheritdoc cref="PerplexityOf(IEnumerable{double})"/>
    internal static double PerplexityOf(IEnumerable<int> counts) => PerplexityOf(counts.Select(count => (double)count));

    /// <summary>The Gini coefficient: Σ (2i − n − 1) x_i / (n Σ x), x ascending, i from 1; 0 where there is nothing.</summary>
    internal static double GiniOf(double[] shares)
    {
        double[] ascending = [.. shares.Order()];
        double sum = ascending.Sum(), weighted = ascending.Select((share, i) => ((2 * (i + 1)) - ascending.Length - 1) * share).Sum();
        return sum == 0 ? 0 : weighted / (ascending.Length * sum);
    }
}

/// <summary>How well codes describe a catalogue.</summary>
/// <param name="ReconstructionError">Squared distance to the reconstruction, summed over items, over the same to the mean: 0 perfect, 1 no
/// better than the mean.</param>
/// <param name="DistinctCodes">Distinct tuples of codes.</param>
/// <param name="Collisions">Items beyond the first of their tuple.</param>
/// <param name="LargestGroup">Most items on one tuple.</param>
public sealed record QuantizerReport(
    int Items, double ReconstructionError, LevelReport[] Levels, int DistinctCodes, int Collisions, int LargestGroup)
{
    /// <param name="x">[n × dim] fused vectors.</param>
    /// <param name="reconstruction">[n × dim]</param>
    /// <param name="ids">[n]</param>
    /// <param name="sizes">Codes at each level.</param>
    public static QuantizerReport Of(
        ReadOnlySpan<float> x, ReadOnlySpan<float> reconstruction, IReadOnlyList<SemanticId> ids, IReadOnlyList<int> sizes)
    {
        var levels = new LevelReport[sizes.Count];
        for (int level = 0; level < sizes.Count; level++)
        {
            var counts = new int[sizes[level]];
            foreach (var id in ids)
            {
                counts[id[level]]++;
            }

            int used = counts.Count(c => c > 0);
            levels[level] = new LevelReport(sizes[level], used, (double)used / sizes[level], LevelReport.PerplexityOf(counts), counts);
        }

        // Not by the largest token: where an item has gone, its token may be nobody's.
        int[] groups = [.. ids.CountBy(id => id.WithCollision(0)).Select(group => group.Value)];
        return new QuantizerReport(
            ids.Count, RelativeError(x, reconstruction, ids.Count), levels, groups.Length, ids.Count - groups.Length,
            groups.DefaultIfEmpty(0).Max());
    }

    /// <summary>The squared distance to the reconstruction, of that to the mean.</summary>
    internal static double RelativeError(ReadOnlySpan<float> x, ReadOnlySpan<float> reconstruction, int n)
    {
        if (n == 0)
        {
            return 0;
        }

        int dim = x.Length / n;
        var mean = new double[dim];
        double error = 0, variance = 0;
        for (int i = 0; i < x.Length; i++)
        {
            mean[i % dim] += x[i] / (double)n;
            error += ((double)x[i] - reconstruction[i]) * ((double)x[i] - reconstruction[i]);
        }

        for (int i = 0; i < x.Length; i++)
        {
            variance += (x[i] - mean[i % dim]) * (x[i] - mean[i % dim]);
        }

        return variance == 0 ? 0 : error / variance;
    }
}
