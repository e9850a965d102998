using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Recsys.Catalog;

namespace Recsys.Store.Redis;

/// <summary>
/// How a version's table is spread over keys. Redis packs a hash or a sorted set of few short entries into one block of memory and
/// gives each entry of a large one nodes and pointers; so the table lies in many small ones. An item's semantic ID is in the hash that
/// the first bits of its id's SHA-256 name; the sorted sets, which find items by a prefix of their codes, are named by the
/// first bits of the codes, so that a prefix is one of them or a run of them.
/// </summary>
/// <param name="IdBits">Bits of a hash's number.</param>
/// <param name="CodeBits">Bits of a sorted set's number.</param>
/// <param name="Sizes">[levels] of the codebook.</param>
internal sealed record TableLayout(int IdBits, int CodeBits, int[] Sizes)
{
    /// <summary>After every digit and '#': ends the range of a prefix.</summary>
    public const string AfterPrefix = "~";

    // Redis packs a hash of up to 128 entries, or 512, and a sorted set of up to 128 (its defaults). An item's id is as likely in any hash;
    // codes are not, so their sets are smaller on average.
    private const int IdsOfHash = 64, ItemsOfSet = 32, MaxBits = 24;

    public static TableLayout Of(ItemTable items) => new(
        Bits(items.Count / IdsOfHash), Math.Min(Bits(items.Count / ItemsOfSet), items.CodebookSizes.Sum(Bits)), [.. items.CodebookSizes]);

    public int Levels => Sizes.Length;

    /// <summary>Number of the hash that holds an item's semantic ID.</summary>
    public int HashOf(string itemId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(itemId), hash);
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(hash) >> (32 - IdBits - 1) >> 1);
    }

    /// <summary>Numbers of the sorted sets that hold the items whose codes begin so: from, and below to. Several only where the prefix has
    /// fewer bits than a number; in order of the codes.</summary>
    public (int From, int To) SetsOf(ReadOnlySpan<ushort> prefix)
    {
        int number = 0, left = CodeBits;
        for (int level = 0; level < prefix.Length && left > 0; level++)
        {
            int bits = Bits(Sizes[level]), taken = Math.Min(bits, left);
            number = (number << taken) | (prefix[level] >> (bits - taken));
            left -= taken;
        }

        return (number << left, (number + 1) << left);
    }

    public int SetOf(SemanticId id)
    {
        Span<ushort> codes = stackalloc ushort[id.Levels];
        id.CopyCodes(codes);
        return SetsOf(codes).From;
    }

    /// <summary>Whether the codebook has such codes at its first levels.</summary>
    public bool Has(ReadOnlySpan<ushort> prefix)
    {
        for (int level = 0; level < prefix.Length; level++)
        {
            if (level >= Levels || prefix[level] >= Sizes[level])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What a member begins with: as many hexadecimal digits for each code as its level's largest has, so that bytes sort as
    /// numbers do.</summary>
    public string Prefix(ReadOnlySpan<ushort> codes)
    {
        var text = new StringBuilder();
        for (int level = 0; level < codes.Length; level++)
        {
            text.Append(codes[level].ToString($"x{(Bits(Sizes[level]) + 3) / 4}", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>An item's member of its sorted set: <c>0c05c9#0000 item</c>.</summary>
    public string Member(SemanticId id, string itemId)
    {
        Span<ushort> codes = stackalloc ushort[id.Levels];
        id.CopyCodes(codes);
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix(codes)}#{id.Collision:x4} {itemId}");
    }

    public static string ItemOf(string member) => member[(member.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    public static TableLayout? TryParse(string? text)
    {
        if (text?.Split(' ') is not [var ids, var codes, var sizes]
            || !int.TryParse(ids, NumberStyles.None, CultureInfo.InvariantCulture, out int idBits) || idBits > MaxBits
            || !int.TryParse(codes, NumberStyles.None, CultureInfo.InvariantCulture, out int codeBits) || codeBits > MaxBits)
        {
            return null;
        }

        int[] parsed =
        [
            .. sizes.Split('/').Select(size => int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int one) ? one : 0),
        ];
        return Array.TrueForAll(parsed, size => size > 0) ? new TableLayout(idBits, codeBits, parsed) : null;
    }

    /// <summary>As <see cref="TryParse"/> reads it: <c>8 9 256/256/256</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{IdBits} {CodeBits} {string.Join('/', Sizes)}");

    // That tell so many apart.
    private static int Bits(int count) => Math.Min(MaxBits, 32 - BitOperations.LeadingZeroCount((uint)Math.Max(count - 1, 0)));
}
