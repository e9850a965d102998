using Recsys.Catalog;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Audit;

/// <summary>How a level's codes are used.</summary>
/// <param name="Counts">[Size] items of each code.</param>
/// <param name="TrafficPerplexity">Perplexity of the codes weighted by interactions; null without any.</param>
/// <param name="TrafficGini">How unevenly interactions lie on the codes, 0 to 1; null without any.</param>
public sealed record LevelAudit(
    int Size, int Used, double Usage, double Perplexity, double Gini, int[] Counts, double? TrafficPerplexity, double? TrafficGini);

/// <summary>Items that share a tuple of codes, and are told apart by the collision token alone.</summary>
/// <param name="Tuples">Distinct ones.</param>
/// <param name="Items">Items whose tuple is not theirs alone.</param>
/// <param name="Share">Of all items.</param>
/// <param name="TrafficShare">Of all interactions; null without any.</param>
/// <param name="GroupSizes">Tuples by the number of their items.</param>
public sealed record AliasingAudit(
    int Tuples, int Items, double Share, double? TrafficShare, int LargestGroup, IReadOnlyDictionary<int, int> GroupSizes);

/// <summary>Whether near items have near codes.</summary>
/// <param name="Recall">Share of an item's nearest that are among the nearest by reconstruction.</param>
/// <param name="SharedPrefix">[levels] share of an item's nearest that have its first codes.</param>
/// <param name="ChancePrefix">[levels] the same of any two items.</param>
/// <param name="ReconstructionError">As of <see cref="QuantizerReport"/>.</param>
/// <param name="Reencoded">Share of the items that the codebook gives the codes of the table.</param>
public sealed record NeighbourhoodAudit(
    double Recall, double[] SharedPrefix, double[] ChancePrefix, double ReconstructionError, double Reencoded);

/// <summary>What the generative model writes when no trie holds it: shares of its likeliest tuples of codes.</summary>
/// <param name="Histories">That it was asked behind.</param>
/// <param name="Tuples">Of each, the likeliest.</param>
/// <param name="Unique">That one item alone has.</param>
/// <param name="Ambiguous">That several items have.</param>
/// <param name="Nonexistent">That no item has.</param>
public sealed record GenerationAudit(int Histories, int Tuples, double Unique, double Ambiguous, double Nonexistent)
{
    /// <param name="generated">[histories] of tuples.</param>
    /// <param name="ids">[items]</param>
    public static GenerationAudit Of(SemanticId[][] generated, IReadOnlyList<SemanticId> ids)
    {
        var items = ids.CountBy(id => id.WithCollision(0)).ToDictionary();
        int[] named = [.. generated.SelectMany(tuples => tuples).Select(tuple => items.GetValueOrDefault(tuple))];
        double Share(Func<int, bool> of) => (double)named.Count(of) / Math.Max(1, named.Length);
        return new GenerationAudit(
            generated.Length, generated.Select(tuples => tuples.Length).DefaultIfEmpty().Max(), Share(count => count == 1),
            Share(count => count > 1), Share(count => count == 0));
    }
}

/// <summary>What an ID costs and needs.</summary>
/// <param name="Tokens">Tokens that a decoder writes for an item: codes and collision token.</param>
/// <param name="Bits">Of all its codes and its collision token at their full sizes.</param>
/// <param name="EntropyBits">That the codes say about an item: the entropy of the tuples.</param>
/// <param name="LeastBits">log₂ of the number of items: no ID can do with less.</param>
/// <param name="TrieNodes">[levels] distinct prefixes: nodes of the trie.</param>
public sealed record CostAudit(int Tokens, double Bits, double EntropyBits, double LeastBits, int[] TrieNodes);

/// <summary>What moved since the version before, over the items that both have.</summary>
/// <param name="Before">The version before.</param>
/// <param name="Kept">Items that both have.</param>
/// <param name="New">Items that only this one has.</param>
/// <param name="Gone">Items that only the one before has.</param>
/// <param name="Moved">Share of the kept whose codes changed.</param>
/// <param name="MovedPrefix">[levels] share of the kept whose first codes changed; null where the versions have not as many
/// levels.</param>
/// <param name="Renamed">Share of the kept whose codes or collision token changed.</param>
public sealed record ChurnAudit(string Before, int Kept, int New, int Gone, double Moved, double[]? MovedPrefix, double Renamed)
{
    /// <param name="items">Those that were appended do not count.</param>
    /// <param name="version">Of <paramref name="before"/>.</param>
    public static ChurnAudit Of(ItemTable items, string version, ItemTable before)
    {
        var kept = new List<(SemanticId Now, SemanticId Then)>();
        for (int item = 0; item < items.BaseCount; item++)
        {
            if (before.TryIndex(items.Ids[item], out int then))
            {
                kept.Add((items.SemanticIds[item], before.SemanticIds[then]));
            }
        }

        double Share(Func<SemanticId, SemanticId, bool> moved) =>
            kept.Count == 0 ? 0 : (double)kept.Count(pair => moved(pair.Now, pair.Then)) / kept.Count;
        double[]? prefixes = items.Levels != before.Levels
            ? null
            : [.. Enumerable.Range(1, items.Levels).Select(levels => Share(
                (now, then) => !now.Codes().AsSpan(0, levels).SequenceEqual(then.Codes().AsSpan(0, levels))))];
        return new ChurnAudit(
            version, kept.Count, items.BaseCount - kept.Count, before.Count - kept.Count,
            Share((now, then) => !now.SameCodes(then)), prefixes, Share((now, then) => now != then));
    }
}

/// <summary>A version's semantic IDs, looked through: utilisation, aliasing, neighbourhood alignment, popularity allocation, structural
/// cost, churn, and the accounting of generated paths: the dimensions of SIDScope (2026).</summary>
/// <param name="Generated">Null: <paramref name="NotGenerated"/> says why.</param>
public sealed record SemanticIdAudit(
    string Version, int Items, int[] Sizes, LevelAudit[] Levels, AliasingAudit Aliasing, CostAudit Cost, NeighbourhoodAudit? Neighbourhood,
    ChurnAudit? Churn, GenerationAudit? Generated = null, string? NotGenerated = null)
{
    /// <summary>Neighbours that are looked for, and items that they are looked for of.</summary>
    public const int K = 10, Queries = 2000;

    /// <param name="items">The version's table; items that were appended later do not count.</param>
    /// <param name="traffic">[items] interactions of each; null: unknown.</param>
    /// <param name="before">The version before and its table; null: there is none.</param>
    /// <param name="neighbourhood">As of <see cref="Neighbourly"/>; null: the items' embeddings are not at hand.</param>
    public static SemanticIdAudit Of(
        string version, ItemTable items, int[]? traffic = null, (string Version, ItemTable Items)? before = null,
        NeighbourhoodAudit? neighbourhood = null)
    {
        SemanticId[] ids = [.. items.SemanticIds.Take(items.BaseCount)];
        if (traffic is not null && traffic.Length != ids.Length)
        {
            throw CatalogException.Invalid($"Interactions of {traffic.Length} items for a table of {ids.Length}.");
        }

        traffic = traffic?.Any(count => count > 0) == true ? traffic : null;
        var groups = CodeGroups.From(ids);
        var levels = Enumerable.Range(0, items.Levels).Select(level => Level(ids, items.CodebookSizes[level], level, traffic));
        return new SemanticIdAudit(
            version, ids.Length, [.. items.CodebookSizes], [.. levels], Aliased(groups, traffic), Costs(ids, items, groups), neighbourhood,
            before is { } earlier ? ChurnAudit.Of(items, earlier.Version, earlier.Items) : null);
    }

    /// <summary>Holds the codes of a table against the embeddings that they stand for.</summary>
    /// <param name="fused">The items' fused embeddings, in the order of the table.</param>
    /// <param name="seed">Draws the items that are asked for.</param>
    public static NeighbourhoodAudit Neighbourly(Codebook codebook, FusedEmbeddings fused, IReadOnlyList<SemanticId> ids, long seed)
    {
        ushort[] codes = [.. ids.SelectMany(id => id.Codes())], again = codebook.Encode(fused.Data, fused.Count);
        var neighbours = Neighbours.Of(fused.Data, fused.Dim, K, Queries, seed);
        var reconstruction = codebook.Reconstruct(codes, ids.Count);
        int same = ids.Index().Count(one => one.Item.Codes().AsSpan().SequenceEqual(
            again.AsSpan(one.Index * codebook.Levels, codebook.Levels)));
        CodeGroups[] prefixes = [.. Enumerable.Range(1, codebook.Levels).Select(levels => CodeGroups.From(ids, levels))];
        double pairs = Math.Max(1, (double)ids.Count * (ids.Count - 1));
        return new NeighbourhoodAudit(
            neighbours.Recall(reconstruction, fused.Dim, prefixes[^1]), [.. prefixes.Select(neighbours.Alike)],
            [.. prefixes.Select(groups => groups.Sizes.Sum(size => (double)size * (size - 1)) / pairs)],
            QuantizerReport.Of(fused.Data, reconstruction, ids, codebook.Sizes).ReconstructionError, (double)same / Math.Max(1, ids.Count));
    }

    private static LevelAudit Level(SemanticId[] ids, int size, int level, int[]? traffic)
    {
        var (counts, weights) = (new int[size], new double[size]);
        for (int item = 0; item < ids.Length; item++)
        {
            counts[ids[item][level]]++;
            weights[ids[item][level]] += traffic?[item] ?? 0;
        }

        int used = counts.Count(count => count > 0);
        return new LevelAudit(
            size, used, (double)used / size, LevelReport.PerplexityOf(counts),
            LevelReport.GiniOf(Array.ConvertAll(counts, count => (double)count)), counts,
            traffic is null ? null : LevelReport.PerplexityOf(weights), traffic is null ? null : LevelReport.GiniOf(weights));
    }

    private static AliasingAudit Aliased(CodeGroups groups, int[]? traffic)
    {
        int[] aliased = [.. Enumerable.Range(0, groups.Of.Length).Where(item => groups.Sizes[groups.Of[item]] > 1)];
        return new AliasingAudit(
            groups.Sizes.Length, aliased.Length, (double)aliased.Length / Math.Max(1, groups.Of.Length),
            traffic is null ? null : aliased.Sum(item => (double)traffic[item]) / traffic.Sum(count => (double)count),
            groups.Sizes.DefaultIfEmpty(0).Max(),
            new SortedDictionary<int, int>(groups.Sizes.CountBy(size => size).ToDictionary()));
    }

    private static CostAudit Costs(SemanticId[] ids, ItemTable items, CodeGroups groups)
    {
        int collisionTokens = ids.Select(id => id.Collision + 1).DefaultIfEmpty(1).Max();
        return new CostAudit(
            items.Levels + 1, items.CodebookSizes.Append(collisionTokens).Sum(size => Math.Log2(size)),
            Math.Log2(LevelReport.PerplexityOf(groups.Sizes)), Math.Log2(Math.Max(1, ids.Length)),
            [.. Enumerable.Range(1, items.Levels).Select(levels => CodeGroups.From(ids, levels).Sizes.Length)]);
    }
}
