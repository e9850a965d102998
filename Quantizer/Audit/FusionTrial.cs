using Recsys.Catalog;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Audit;

/// <summary>Where items lie that lack an embedding.</summary>
/// <param name="Removed">The embedding that they lack; empty: none.</param>
/// <param name="Items">Items that had it, and another, and a category; 0: none, and no share says anything.</param>
/// <param name="SameCodes">[levels] share of them whose first codes stay.</param>
/// <param name="SameCategory">[levels] of the other items with their first codes, the share that is of their category.</param>
public sealed record FusionRow(string Removed, int Items, double[] SameCodes, double[] SameCategory);

/// <summary>
/// Takes embeddings from a sample of items, one name after another, and asks whether their IDs still lie among items of their category.
/// The codebook has seen all of them whole, as it has when an item comes later without a picture.
/// </summary>
public static class FusionTrial
{
    /// <param name="embeddings">Those that the codebook was trained on.</param>
    /// <param name="categories">[items] empty: unknown.</param>
    /// <param name="sample">Items that lose an embedding, drawn by the seed.</param>
    /// <returns>The sample as it is, with each embedding removed, and, named chance, with the codes of other items.</returns>
    public static IReadOnlyList<FusionRow> Run(
        Codebook codebook, EmbeddingMatrix[] embeddings, string[] categories, int sample, long seed)
    {
        int[] items = [.. Enumerable.Range(0, categories.Length).Where(item => categories[item].Length > 0)];
        new Random(Seeds.ToInt32(seed)).Shuffle(items);
        var whole = Codes(codebook, embeddings);
        int[] drawn = [.. items.Take(sample)], others = [.. drawn.Skip(1).Append(drawn[0])];
        var moved = whole.ToArray();
        foreach (var (item, other) in drawn.Zip(others))
        {
            moved[item] = whole[other];
        }

        return
        [
            Row("", whole, drawn), .. embeddings.Select(removed =>
            {
                int[] with = [.. drawn.Where(item => removed.Present[item]
                    && embeddings.Any(other => other != removed && other.Present[item]))];
                return Row(removed.Name, Codes(codebook, [.. embeddings.Select(one => one == removed ? Without(one, with) : one)]), with);
            }),
            Row("chance", moved, drawn),
        ];

        FusionRow Row(string removed, SemanticId[] codes, int[] asked)
        {
            var (same, category) = (new double[codebook.Levels], new double[codebook.Levels]);
            for (int level = 0; level < codebook.Levels; level++)
            {
                SemanticId Prefix(SemanticId id) => new(id.Codes().AsSpan(0, level + 1));
                var groups = items.GroupBy(item => Prefix(whole[item])).ToDictionary(group => group.Key, group => group.ToArray());
                int[][] near = [.. asked.Select(
                    item => groups.GetValueOrDefault(Prefix(codes[item]), []).Where(other => other != item).ToArray())];
                same[level] = asked.Select(item => Prefix(whole[item]) == Prefix(codes[item]) ? 1.0 : 0).DefaultIfEmpty().Average();
                category[level] = asked.Index().Where(at => near[at.Index].Length > 0).Select(
                    at => near[at.Index].Average(other => categories[other] == categories[at.Item] ? 1.0 : 0)).DefaultIfEmpty().Average();
            }

            return new FusionRow(removed, asked.Length, same, category);
        }
    }

    private static SemanticId[] Codes(Codebook codebook, EmbeddingMatrix[] embeddings) =>
        codebook.EncodeCatalogue(codebook.Fusion.Apply(embeddings)).Ids;

    private static EmbeddingMatrix Without(EmbeddingMatrix embedding, int[] items)
    {
        var gone = items.ToHashSet();
        return new EmbeddingMatrix(
            embedding.Name, embedding.Dim, embedding.Data,
            [.. embedding.Present.Select((present, item) => present && !gone.Contains(item))])
        {
            Space = embedding.Space,
        };
    }
}
