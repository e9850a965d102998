using System.Globalization;
using Recsys.Catalog;

namespace Recsys.Store.Redis;

/// <summary>
/// Members of the sorted set that finds items by a prefix of their codes: four hexadecimal digits a code, so that bytes sort as
/// numbers do and every prefix of codes is one range: <c>000c000500c9#0000 item</c>.
/// </summary>
internal static class CodeIndex
{
    /// <summary>After every digit and '#': ends the range of a prefix.</summary>
    public const string AfterPrefix = "~";

    public static string Prefix(ReadOnlySpan<ushort> codes)
    {
        Span<char> text = stackalloc char[4 * codes.Length];
        for (int level = 0; level < codes.Length; level++)
        {
            codes[level].TryFormat(text[(4 * level)..], out _, "x4", CultureInfo.InvariantCulture);
        }

        return text.ToString();
    }

    public static string Member(SemanticId id, string itemId)
    {
        Span<ushort> codes = stackalloc ushort[id.Levels];
        id.CopyCodes(codes);
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix(codes)}#{id.Collision:x4} {itemId}");
    }

    public static string ItemOf(string member) => member[(member.IndexOf(' ', StringComparison.Ordinal) + 1)..];
}
