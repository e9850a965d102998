using System.Globalization;
using System.Text;

namespace Recsys.Embeddings.Text;

/// <summary>
/// Splits text of any script into lower-case words: runs of letters, digits and the marks that belong to them. Scripts written
/// without spaces (Chinese, Japanese, Thai…) give overlapping pairs of characters, the usual stand-in for a dictionary.
/// </summary>
public static class WordSplitter
{
    private enum Kind
    {
        Gap,
        Word,
        Unspaced,
    }

    public static IEnumerable<string> Words(string text)
    {
        var (kind, run) = (Kind.Gap, new List<string>()); // characters of one kind
        foreach (var rune in text.EnumerateRunes().Append(new Rune(' ')))
        {
            var next = IsWrittenWithoutSpaces(rune.Value) ? Kind.Unspaced : BelongsToWord(rune) ? Kind.Word : Kind.Gap;
            if (next != kind)
            {
                foreach (string word in kind == Kind.Word ? [string.Concat(run)] : Pairs(run))
                {
                    yield return word;
                }

                kind = next;
                run.Clear();
            }

            if (kind != Kind.Gap)
            {
                run.Add(Rune.ToLowerInvariant(rune).ToString());
            }
        }
    }

    private static bool BelongsToWord(Rune rune) => Rune.IsLetterOrDigit(rune)
        || Rune.GetUnicodeCategory(
            rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.LetterNumber;

    private static IEnumerable<string> Pairs(List<string> run) => run.Count < 2
        ? run
        : Enumerable.Range(0, run.Count - 1).Select(i => run[i] + run[i + 1]);

    // Thai and Lao, Myanmar, Khmer, kana, CJK ideographs with extensions.
    private static bool IsWrittenWithoutSpaces(int c) => c is (>= 0x0E00 and <= 0x0EFF and not (>= 0x0E50 and <= 0x0E59))
        or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF) or (>= 0x3040 and <= 0x30FF)
        or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
