using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Alignment;

/// <summary>Changes to the vectors of a codebook that leave its items their codes, or give them those that they had. Codes that are bits
/// or rounded values have no vectors, and stay as they are.</summary>
internal static class CodebookVectors
{
    /// <summary>Moves each code, level by level, to the mean of what its items leave to it: what a round of k-means does, with the codes
    /// given.</summary>
    /// <returns>The codebook as it is now, in place of <paramref name="codebook"/>.</returns>
    public static Codebook Follow(Codebook codebook, FusedEmbeddings fused, Assignment assignment, Ranks ranks)
    {
        var model = codebook.Model;
        if (Of(model) is not { } books)
        {
            return codebook;
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var present = tensor(fused.Present.Index().Where(item => item.Item).Select(item => (long)item.Index).ToArray());
        var x = Tensors.Copy(fused.Data, fused.Count, fused.Dim).index_select(0, present).to(model.Device);
        var codes = tensor(Array.ConvertAll(assignment.Codes, code => (long)code), [fused.Count, books.Sizes.Count])
            .index_select(0, present).to(model.Device);
        var rest = ranks.Share(model switch
        {
            RotatedCodebooks rotated => x.matmul(rotated.Rotation),
            RqVae vae => vae.Latent(vae.Standardised(x)),
            _ => x,
        });
        codes = ranks.Share(codes);
        for (int level = 0; level < books.Sizes.Count; level++)
        {
            var own = codes.select(1, level);
            KMeansTrainer.MoveToMeans(books, level, books.Input(rest, level), own, ranks);
            rest = books.Left(rest, books.Vectors(own, level));
        }

        ranks.Broadcast(books.Codes);
        return codebook.Renewed();
    }

    /// <summary>Gives each code, level by level, the number that most of its items have had, pairs with most items first.</summary>
    /// <param name="codes">[items × levels] of the codebook.</param>
    /// <param name="earlier">[items] null: the item is new.</param>
    /// <returns>The codebook as it is now, in place of <paramref name="codebook"/>.</returns>
    public static Codebook Renumber(Codebook codebook, ushort[] codes, IReadOnlyList<SemanticId?> earlier)
    {
        using var _ = no_grad();
        var books = Of(codebook.Model);
        for (int level = 0; books is not null && level < books.Sizes.Count; level++)
        {
            using var scope = NewDisposeScope();
            var at = tensor(Places(codes, earlier, level, books.Sizes.Count, books.Sizes[level]), device: books.Device);
            books.Codes[level].copy_(books.Codes[level].index_select(0, at));
            books.Prices[level].copy_(books.Prices[level].index_select(0, at));
        }

        return codebook.Renewed();
    }

    private static VectorCodebooks? Of(QuantizerModel model) => model switch
    {
        VectorCodebooks books => books,
        RotatedCodebooks rotated => rotated.Codebooks,
        RqVae vae => vae.Codebooks,
        _ => null,
    };

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
