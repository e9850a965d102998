using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Recsys.Catalog;

/// <summary>
/// The semantic ID of one item: one code per codebook level, coarse to fine, and a collision token that tells
/// apart items with equal codes (TIGER, Rajput et al. 2023, section 3.1). A 16-byte value; compares by codes, then by token.
/// Text form: <c>12-5-201#0</c>.
/// </summary>
public readonly struct SemanticId : IEquatable<SemanticId>, IComparable<SemanticId>
{
    /// <summary>Most codebook levels that an ID can hold.</summary>
    public const int MaxLevels = 6;

    // _high: level count in the top byte, then codes 0..2 in 16 bits each; _low: codes 3..5 above the 16-bit collision token.
    private readonly ulong _high;
    private readonly ulong _low;

    /// <param name="codes">One code per level, coarse to fine; 1 to <see cref="MaxLevels"/> of them.</param>
    /// <param name="collision">0 for the first item with these codes, 1 for the second, and so on.</param>
    /// <exception cref="CatalogException">No code, or more than <see cref="MaxLevels"/>.</exception>
    public SemanticId(ReadOnlySpan<ushort> codes, ushort collision = 0)
    {
        if (codes.Length is 0 or > MaxLevels)
        {
            throw CatalogException.Invalid($"A semantic ID has 1 to {MaxLevels} codes, not {codes.Length}.");
        }

        ulong high = (ulong)codes.Length << 56, low = collision;
        for (int level = 0; level < codes.Length; level++)
        {
            if (level < 3)
            {
                high |= (ulong)codes[level] << (32 - (16 * level));
            }
            else
            {
                low |= (ulong)codes[level] << (48 - (16 * (level - 3)));
            }
        }

        (_high, _low) = (high, low);
    }

    /// <summary>Codebook levels, the collision token not counted; 0 for <c>default</c>.</summary>
    public int Levels => (int)(_high >> 56);

    /// <summary>Tells apart items with equal codes; 0 for the first of them.</summary>
    public ushort Collision => (ushort)_low;

    /// <summary>The code at a level, 0 being the coarsest.</summary>
    public ushort this[int level] => (uint)level >= (uint)Levels
        ? throw CatalogException.Invalid($"Level {level} of a semantic ID with {Levels} levels.")
        : level < 3 ? (ushort)(_high >> (32 - (16 * level))) : (ushort)(_low >> (48 - (16 * (level - 3))));

    /// <summary>The same codes with another collision token.</summary>
    public SemanticId WithCollision(ushort collision) => new(_high, (_low & ~0xFFFFUL) | collision);

    private SemanticId(ulong high, ulong low) => (_high, _low) = (high, low);

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
    public bool SameCodes(SemanticId other) => _high == other._high && (_low & ~0xFFFFUL) == (other._low & ~0xFFFFUL);

    public bool Equals(SemanticId other) => _high == other._high && _low == other._low;

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is SemanticId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_high, _low);

    public int CompareTo(SemanticId other) => _high != other._high ? _high.CompareTo(other._high) : _low.CompareTo(other._low);

    public static bool operator ==(SemanticId left, SemanticId right) => left.Equals(right);

    public static bool operator !=(SemanticId left, SemanticId right) => !left.Equals(right);

    public static bool operator <(SemanticId left, SemanticId right) => left.CompareTo(right) < 0;

    public static bool operator >(SemanticId left, SemanticId right) => left.CompareTo(right) > 0;

    public static bool operator <=(SemanticId left, SemanticId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SemanticId left, SemanticId right) => left.CompareTo(right) >= 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        for (int level = 0; level < Levels; level++)
        {
            text.Append(level == 0 ? "" : "-").Append(this[level]);
        }

        return text.Append('#').Append(Collision).ToString();
    }

    /// <summary>Reads <c>12-5-201#0</c>; the token may be left out and is then 0.</summary>
    /// <exception cref="CatalogException">Anything else.</exception>
    public static SemanticId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw CatalogException.Invalid(
            $"'{text}' is no semantic ID: write the codes joined by '-', then '#' and the collision token, for example 12-5-201#0.");

    public static bool TryParse([NotNullWhen(true)] string? text, out SemanticId id)
    {
        id = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        int hash = text.IndexOf('#', StringComparison.Ordinal);
        ushort collision = 0;
        if (hash >= 0 && !ushort.TryParse(text.AsSpan(hash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out collision))
        {
            return false;
        }

        var parts = (hash >= 0 ? text[..hash] : text).Split('-');
        if (parts.Length > MaxLevels)
        {
            return false;
        }

        Span<ushort> codes = stackalloc ushort[parts.Length];
        for (int level = 0; level < parts.Length; level++)
        {
            if (!ushort.TryParse(parts[level], NumberStyles.None, CultureInfo.InvariantCulture, out codes[level]))
            {
                return false;
            }
        }

        id = new SemanticId(codes, collision);
        return true;
    }
}
