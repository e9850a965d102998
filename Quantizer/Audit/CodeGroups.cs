using Recsys.Catalog;

namespace Recsys.Quantizer.Audit;

/// <summary>Items that share a tuple of codes, or its first codes.</summary>
/// <param name="Of">[items] the group of each; groups are numbered in the order of their first items.</param>
/// <param name="Sizes">[groups] items of each.</param>
public sealed record CodeGroups(int[] Of, int[] Sizes)
{
    /// <param name="ids">[items]</param>
    /// <param name="levels">Codes that count, coarse to fine; null: all.</param>
    public static CodeGroups From(IReadOnlyList<SemanticId> ids, int? levels = null)
    {
        var (of, sizes, known) = (new int[ids.Count], new List<int>(), new Dictionary<SemanticId, int>());
        for (int item = 0; item < ids.Count; item++)
        {
            int count = levels ?? ids[item].Levels;
            var prefix = new SemanticId(ids[item].Codes().AsSpan(0, count));
            if (!known.TryGetValue(prefix, out int group))
            {
                known[prefix] = group = sizes.Count;
                sizes.Add(0);
            }

            of[item] = group;
            sizes[group]++;
        }

        return new CodeGroups(of, [.. sizes]);
    }
}
