using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Recsys.Catalog;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Refuses a codebook that has collapsed. A level is asked about the distinct vectors that the levels before leave together with others:
/// equal vectors cannot be told apart, and vectors that have their tuple alone need no further code.
/// </summary>
internal static class CollapseCheck
{
    private const int MaxRows = 262_144;

    /// <summary>Encodes what a codebook was trained on, at most an even sample of it, and checks the codes.</summary>
    /// <param name="rows">[n × dim]</param>
    /// <exception cref="CatalogException">FailedPrecondition: a level's perplexity is below the bound.</exception>
    public static void Check(Encoding.Codebook codebook, float[] rows, double bound)
    {
        int dim = codebook.Fusion.Dim, n = rows.Length / dim;
        if (n > MaxRows)
        {
            var sample = new float[MaxRows * dim];
            for (int row = 0; row < MaxRows; row++)
            {
                rows.AsSpan((int)((long)row * n / MaxRows) * dim, dim).CopyTo(sample.AsSpan(row * dim));
            }

            (rows, n) = (sample, MaxRows);
        }

        Check(rows, dim, codebook.Encode(rows, n), codebook.Sizes, bound);
    }

    /// <param name="rows">[n × dim] what the codebook was trained on.</param>
    /// <param name="codes">[n × levels]</param>
    /// <exception cref="CatalogException">FailedPrecondition: a level's perplexity is below the bound.</exception>
    public static void Check(ReadOnlySpan<float> rows, int dim, ReadOnlySpan<ushort> codes, IReadOnlyList<int> sizes, double bound)
    {
        int levels = sizes.Count;
        var distinct = Distinct(rows, dim);
        var groups = new int[distinct.Count]; // by the codes of the levels before
        for (int level = 0; level < levels; level++)
        {
            var members = new int[distinct.Count];
            foreach (int group in groups)
            {
                members[group]++;
            }

            var (counts, next) = (new int[sizes[level]], new Dictionary<(int, ushort), int>());
            for (int i = 0; i < groups.Length; i++)
            {
                ushort code = codes[(distinct[i] * levels) + level];
                counts[code] += members[groups[i]] > 1 ? 1 : 0;
                if (!next.TryGetValue((groups[i], code), out int group))
                {
                    next[(groups[i], code)] = group = next.Count;
                }

                groups[i] = group;
            }

            Check(level, counts, bound);
        }
    }

    private static void Check(int level, int[] counts, double bound)
    {
        int vectors = counts.Sum(), possible = Math.Min(vectors, counts.Length);
        double perplexity = Encoding.LevelReport.PerplexityOf(counts), least = bound * possible;
        if (vectors > 1 && perplexity < least)
        {
            throw CatalogException.Precondition(
                $"The codebook of level {level} has collapsed: its perplexity is {perplexity:F2} over {vectors} distinct vectors, and "
                + $"quantizer.min_perplexity {bound:G3} asks for at least {least:F2} ({counts.Length} codes, {counts.Count(c => c > 0)} in "
                + "use). Raise quantizer.balance_strength or rq_vae.dead_code_share, lower rq_vae.learning_rate, take fewer codes or the "
                + "kind residual-kmeans; lower quantizer.min_perplexity only if such codes are what you want.");
        }
    }

    /// <returns>The first row of each value.</returns>
    private static List<int> Distinct(ReadOnlySpan<float> rows, int dim)
    {
        var (seen, first) = (new HashSet<UInt128>(), new List<int>());
        Span<byte> hash = stackalloc byte[32];
        for (int row = 0; row < rows.Length / dim; row++)
        {
            SHA256.HashData(MemoryMarshal.AsBytes(rows.Slice(row * dim, dim)), hash);
            if (seen.Add(MemoryMarshal.Read<UInt128>(hash)))
            {
                first.Add(row);
            }
        }

        return first;
    }
}
