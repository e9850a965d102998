using Recsys.Catalog;

namespace Recsys.Quantizer.Encoding;

/// <summary>
/// Tells items with equal codes apart: the first in the order of items gets 0, the next 1, and so on (TIGER, section 3.1).
/// One sort, whatever the number of groups.
/// </summary>
public static class CollisionTokens
{
    /// <param name="codes">[n × levels], row-major.</param>
    /// <param name="kept">[n] IDs that items have already, of the same codes and distinct: they keep their tokens, and the others get the
    /// free ones; null: none has.</param>
    /// <returns>[n] distinct semantic IDs, in the order of items.</returns>
    /// <exception cref="CatalogException">More than 65,536 items share one tuple of codes.</exception>
    public static SemanticId[] Assign(
        ReadOnlySpan<ushort> codes, int n, int levels, IReadOnlyList<SemanticId?>? kept = null)
    {
        if (levels is < 1 or > SemanticId.MaxLevels || codes.Length != (long)n * levels)
        {
            throw CatalogException.Invalid($"{codes.Length} codes are not {n} items of {levels} levels (1 to {SemanticId.MaxLevels}).");
        }

        // The item behind its codes: equal codes lie together, in the order of items.
        var keys = new Key[n];
        for (int item = 0; item < n; item++)
        {
            UInt128 key = 0;
            for (int level = 0; level < levels; level++)
            {
                key = (key << 16) | codes[(item * levels) + level];
            }

            keys[item] = new Key((ulong)(key >> 64), (ulong)key, item);
        }

        Array.Sort(keys);
        var ids = new SemanticId[n];
        for (int from = 0, to; from < n; from = to)
        {
            for (to = from + 1; to < n && keys[to].SameCodes(keys[from]); to++)
            {
            }

            var group = keys.AsSpan(from, to - from);
            var taken = new HashSet<ushort>();
            foreach (var key in group)
            {
                if (kept?[key.Item] is { } id)
                {
                    ids[key.Item] = id;
                    taken.Add(id.Collision);
                }
            }

            int token = 0;
            foreach (var key in group)
            {
                if (kept?[key.Item] is null)
                {
                    ids[key.Item] = new SemanticId(codes.Slice(key.Item * levels, levels), Free(ref token, taken));
                }
            }
        }

        return ids;
    }

    private static ushort Free(ref int token, HashSet<ushort> taken)
    {
        while (token <= ushort.MaxValue && taken.Contains((ushort)token))
        {
            token++;
        }

        return token <= ushort.MaxValue ? (ushort)token++ : throw new CatalogException(
            Fault.ResourceExhausted,
            $"More than {ushort.MaxValue + 1} items share the same codes. Their embeddings are equal or the codebook is far too small: "
            + "raise levels or codebook size.");
    }

    private readonly record struct Key(ulong Upper, ulong Lower, int Item) : IComparable<Key>
    {
        public bool SameCodes(Key other) => Upper == other.Upper && Lower == other.Lower;

        public int CompareTo(Key other)
        {
            int order = Upper.CompareTo(other.Upper);
            order = order != 0 ? order : Lower.CompareTo(other.Lower);
            return order != 0 ? order : Item.CompareTo(other.Item);
        }
    }
}
