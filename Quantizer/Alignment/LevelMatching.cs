using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Alignment;

/// <summary>Numbers the codes of a codebook that was trained anew after those of the one before.</summary>
internal static class LevelMatching
{
    /// <summary>Gives each code, level by level, the number that most of its items have had, pairs with most items first. Codes that are
    /// bits or rounded values have numbers of their own, and keep them.</summary>
    /// <param name="codes">[items × levels] of the model.</param>
    /// <param name="earlier">[items] null: the item is new.</param>
    public static void Renumber(QuantizerModel model, ushort[] codes, IReadOnlyList<SemanticId?> earlier)
    {
        var books = model switch
        {
            VectorCodebooks vectors => vectors,
            RotatedCodebooks rotated => rotated.Codebooks,
            RqVae vae => vae.Codebooks,
            _ => null,
        };
        using var _ = no_grad();
        for (int level = 0; books is not null && level < books.Sizes.Count; level++)
        {
            using var scope = NewDisposeScope();
            var at = tensor(Places(codes, earlier, level, books.Sizes.Count, books.Sizes[level]), device: books.Device);
            books.Codes[level].copy_(books.Codes[level].index_select(0, at));
            books.Prices[level].copy_(books.Prices[level].index_select(0, at));
        }
    }

    /// <returns>[size] the code that gets each number.</returns>
    private static long[] Places(ushort[] codes, IReadOnlyList<SemanticId?> earlier, int level, int levels, int size)
    {
        var pairs = Enumerable.Range(0, earlier.Count).Where(item => earlier[item] is not null)
            .CountBy(item => (Number: earlier[item]!.Value[level], Code: codes[(item * levels) + level]))
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).Select(pair => pair.Key);
        var (code, numbered) = (new long[size], new bool[size]);
        Array.Fill(code, -1);
        foreach (var pair in pairs.Where(pair => code[pair.Number] < 0 && !numbered[pair.Code]))
        {
            (code[pair.Number], numbered[pair.Code]) = (pair.Code, true);
        }

        var free = new Queue<int>(Enumerable.Range(0, size).Where(one => !numbered[one]));
        return Array.ConvertAll(code, one => one < 0 ? free.Dequeue() : one);
    }
}
