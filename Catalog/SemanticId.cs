using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Recsys.Catalog;

/// <summary>
/// The semantic ID of one item: one code per codebook level, coarse to fine, and a collision token that tells
/// apart items with equal codes (TIGER, Rajput et al. 2023, section 3.1). A 24-byte value; compares by codes, then by token.
/// Text form: <c>12-5-201#0</c>.
/// </summary>
public readonly record struct SemanticId : IComparable<SemanticId>
{
    /// <summary>Most codebook levels that an ID can hold.</summary>
    public const int MaxLevels = 8;

    private const int WordsOfUpper = 4;

    // Codes coarse to fine from the top, 16 bits each; and the level count above the collision token. Not one UInt128: it would be
    // aligned to 16 bytes, and the value as large as 32.
    private readonly ulong _upper, _lower;
    private readonly uint _levelsAndToken;

    /// <param name="codes">One code per level, coarse to fine; 1 to <see cref="MaxLevels"/> of them.</param>
    /// <param name="collision">0 for the first item with these codes, 1 for the second, and so on.</param>
    /// <exception cref="CatalogException">No code, or more than <see cref="MaxLevels"/>.</exception>
    public SemanticId(ReadOnlySpan<ushort> codes, ushort collision = 0)
    {
        if (codes.Length is 0 or > MaxLevels)
        {
            throw CatalogException.Invalid($"A semantic ID has 1 to {MaxLevels} codes, not {codes.Length}.");
        }

        _levelsAndToken = ((uint)codes.Length << 16) | collision;
        for (int level = 0; level < codes.Length; level++)
        {
            _upper |= level < WordsOfUpper ? (ulong)codes[level] << Place(level) : 0;
            _lower |= level < WordsOfUpper ? 0 : (ulong)codes[level] << Place(level);
        }
    }

    private SemanticId(ulong upper, ulong lower, uint levelsAndToken) =>
        (_upper, _lower, _levelsAndToken) = (upper, lower, levelsAndToken);

    /// <summary>Codebook levels, the collision token not counted; 0 for <c>default</c>.</summary>
    public int Levels => (int)(_levelsAndToken >> 16);

    /// <summary>Tells apart items with equal codes; 0 for the first of them.</summary>
    public ushort Collision => (ushort)_levelsAndToken;

    /// <summary>The code at a level, 0 being the coarsest.</summary>
    public ushort this[int level] => (uint)level < (uint)Levels
        ? (ushort)((level < WordsOfUpper ? _upper : _lower) >> Place(level))
        : throw CatalogException.Invalid($"Level {level} of a semantic ID with {Levels} levels.");

    /// <summary>The same codes with another collision token.</summary>
    public SemanticId WithCollision(ushort collision) => new(_upper, _lower, _levelsAndToken - Collision + collision);

    /// <summary>Copies the codes, coarse to fine; <paramref name="target"/> holds at least <see cref="Levels"/>.</summary>
    public void CopyCodes(Span<ushort> target)
    {
        for (int level = 0; level < Levels; level++)
        {
            target[level] = this[level];
        }
    }

    /// <summary>The codes, coarse to fine.</summary>
    public ushort[] Codes()
    {
        var codes = new ushort[Levels];
        CopyCodes(codes);
        return codes;
    }

    /// <summary>Whether both have the same codes, whatever their collision tokens.</summary>
    public bool SameCodes(SemanticId other) => WithCollision(0) == other.WithCollision(0);

    public int CompareTo(SemanticId other)
    {
        int order = Levels.CompareTo(other.Levels);
        order = order != 0 ? order : _upper.CompareTo(other._upper);
        order = order != 0 ? order : _lower.CompareTo(other._lower);
        return order != 0 ? order : Collision.CompareTo(other.Collision);
    }

    public static bool operator <(SemanticId left, SemanticId right) => left.CompareTo(right) < 0;

    public static bool operator >(SemanticId left, SemanticId right) => left.CompareTo(right) > 0;

    public static bool operator <=(SemanticId left, SemanticId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SemanticId left, SemanticId right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{string.Join('-', Codes())}#{Collision}";

    private static int Place(int level) => 48 - (16 * (level % WordsOfUpper));

    /// <summary>Reads <c>12-5-201#0</c>; the token may be left out and is then 0.</summary>
    /// <exception cref="CatalogException">Anything else.</exception>
    public static SemanticId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw CatalogException.Invalid(
            $"'{text}' is no semantic ID: write the codes joined by '-', then '#' and the collision token, for example 12-5-201#0.");

    public static bool TryParse([NotNullWhen(true)] string? text, out SemanticId id)
    {
        id = default;
        string[] parts = (text ?? "").Split('#'), codes = parts[0].Split('-');
        var (words, collision) = (new ushort[codes.Length], (ushort)0);
        if (parts.Length > 2 || codes.Length > MaxLevels || (parts.Length == 2 && !IsWord(parts[1], out collision)))
        {
            return false;
        }

        for (int level = 0; level < codes.Length; level++)
        {
            if (!IsWord(codes[level], out words[level]))
            {
                return false;
            }
        }

        id = new SemanticId(words, collision);
        return true;

        static bool IsWord(string text, out ushort word) =>
            ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out word);
    }
}
