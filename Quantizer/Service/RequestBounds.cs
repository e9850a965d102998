using Recsys.Catalog;
using Recsys.V1;
using SemanticId = Recsys.Catalog.SemanticId;

namespace Recsys.Quantizer.Service;

/// <summary>What a request may ask for; checked in full before anything is computed or stored.</summary>
internal static class RequestBounds
{
    public const int MaxItems = 10_000;
    public const int MaxPerPrefix = 10_000;
    public const int DefaultPerPrefix = 100;
    public const int MaxNearest = 1_000;
    public const int DefaultNearest = 10;

    /// <summary>Semantic IDs that are reconstructed in one call: their vectors fit into the 4 MB that a client takes unasked.</summary>
    public const int MaxReconstructed = 1_000;

    public static void CheckItems(IReadOnlyCollection<ItemEmbedding> items) =>
        CheckIds("items", "items.item_id", [.. items.Select(item => item.ItemId)], MaxItems);

    public static void CheckIds(string field, string idField, IReadOnlyCollection<string> ids, int most)
    {
        CheckCount(field, "items", ids.Count, most);
        foreach (string id in ids)
        {
            ItemIds.Check(id, idField);
        }
    }

    public static void CheckCount(string field, string what, int count, int most = MaxItems)
    {
        if (count < 1 || count > most)
        {
            throw CatalogException.InvalidField(field, $"A call with {count} {what}; allowed: 1 to {most}. Send several calls.");
        }
    }

    /// <summary>The prefix as codes.</summary>
    public static ushort[] Prefix(CodePrefix prefix, IReadOnlyList<int> sizes)
    {
        if (prefix.Codes.Count < 1 || prefix.Codes.Count > sizes.Count)
        {
            throw CatalogException.InvalidField(
                "prefixes", $"A prefix of {prefix.Codes.Count} codes; allowed: 1 to {sizes.Count} in this version.");
        }

        return [.. prefix.Codes.Select((code, level) => code < sizes[level]
            ? (ushort)code
            : throw CatalogException.InvalidField(
                "prefixes", $"Code {code} at level {level} of a prefix; this version's codebook has {sizes[level]}."))];
    }

    /// <summary>All codes of an ID.</summary>
    public static ushort[] Codes(SemanticId id, IReadOnlyList<int> sizes)
    {
        if (id.Levels != sizes.Count)
        {
            throw CatalogException.InvalidField(
                "semantic_ids", $"Semantic ID {id} has {id.Levels} codes; this version's have {sizes.Count}.");
        }

        ushort[] codes = id.Codes();
        for (int level = 0; level < codes.Length; level++)
        {
            if (codes[level] >= sizes[level])
            {
                throw CatalogException.InvalidField(
                    "semantic_ids",
                    $"Semantic ID {id}: code {codes[level]} at level {level}; this version's codebook has {sizes[level]}.");
            }
        }

        return codes;
    }

    public static int Nearest(uint k) => k switch
    {
        0 => DefaultNearest,
        <= MaxNearest => (int)k,
        _ => throw CatalogException.InvalidField("k", $"k is {k}; allowed: 1 to {MaxNearest}, or 0 for {DefaultNearest}."),
    };

    public static int Limit(uint limit) => limit switch
    {
        0 => DefaultPerPrefix,
        <= MaxPerPrefix => (int)limit,
        _ => throw CatalogException.InvalidField(
            "limit", $"limit is {limit}; allowed: 1 to {MaxPerPrefix}, or 0 for {DefaultPerPrefix}."),
    };
}
