namespace Recsys.Retrieval;

/// <summary>
/// How semantic IDs become tokens of one vocabulary: the codes of each level in turn, then the collision tokens, then BOS. An item is
/// always <see cref="Depth"/> tokens: its codes and its collision token (0 for the first item of its codes).
/// </summary>
public sealed class TokenLayout
{
    /// <param name="codebookSizes">Codes at each level.</param>
    /// <param name="collisionTokens">Collision tokens: above those of the training table, so that appended items have one too.</param>
    public TokenLayout(IReadOnlyList<int> codebookSizes, int collisionTokens)
    {
        Sizes = [.. codebookSizes, collisionTokens];
        Offsets = new int[Sizes.Length];
        for (int level = 1; level < Sizes.Length; level++)
        {
            Offsets[level] = Offsets[level - 1] + Sizes[level - 1];
        }
    }

    /// <summary>Room for collision tokens: twice those in use, at least 64.</summary>
    public static TokenLayout For(ItemTable items) => new(items.CodebookSizes, Math.Max(64, 2 * (items.MaxCollision + 1)));

    /// <summary>[depth] tokens at each level.</summary>
    public int[] Sizes { get; }

    /// <summary>[depth] where each level's tokens start in the one vocabulary.</summary>
    public int[] Offsets { get; }

    /// <summary>Tokens of one item.</summary>
    public int Depth => Sizes.Length;

    public int CollisionTokens => Sizes[^1];

    /// <summary>Begin of sequence; the last token of the vocabulary.</summary>
    public int Bos => Offsets[^1] + Sizes[^1];

    public int Vocabulary => Bos + 1;

    /// <summary>The item tokens of a whole table, within their levels.</summary>
    /// <returns>[items × depth], row-major. A collision token that is unknown to the model is read as the last known one.</returns>
    public int[] Codes(ItemTable items)
    {
        var codes = new int[items.Count * Depth];
        for (int item = 0; item < items.Count; item++)
        {
            CopyCodes(items.SemanticIds[item], codes.AsSpan(item * Depth, Depth));
        }

        return codes;
    }

    /// <summary>The tokens of one item, within their levels, into [depth]; an unknown collision token as the last known one.</summary>
    public void CopyCodes(SemanticId id, Span<int> codes)
    {
        for (int level = 0; level < Depth - 1; level++)
        {
            codes[level] = id[level];
        }

        codes[^1] = Math.Min((int)id.Collision, CollisionTokens - 1);
    }

    /// <summary>All tokens of items, of the whole vocabulary.</summary>
    /// <param name="codes">[items × depth] of <see cref="Codes"/>.</param>
    /// <param name="items">[slots] -1: none, BOS throughout.</param>
    /// <returns>[slots × depth]</returns>
    public long[] Whole(int[] codes, ReadOnlySpan<int> items)
    {
        var tokens = new long[items.Length * Depth];
        for (int at = 0; at < tokens.Length; at++)
        {
            var (item, level) = (items[at / Depth], at % Depth);
            tokens[at] = item < 0 ? Bos : Offsets[level] + codes[(item * Depth) + level];
        }

        return tokens;
    }

    /// <summary>What items are written behind: their tokens but the last, of the whole vocabulary.</summary>
    /// <param name="codes">[items × depth] of <see cref="Codes"/>.</param>
    /// <param name="items">[slots] -1: none, its tokens mean nothing.</param>
    /// <returns>[slots × (depth − 1)]</returns>
    public long[] Prefixes(int[] codes, ReadOnlySpan<int> items)
    {
        int length = Depth - 1;
        var tokens = new long[items.Length * length];
        for (int at = 0; at < tokens.Length; at++)
        {
            var (item, level) = (items[at / length], at % length);
            tokens[at] = Offsets[level] + (item < 0 ? 0 : codes[(item * Depth) + level]);
        }

        return tokens;
    }
}
