using System.Globalization;
using System.Text;

namespace Recsys.Embeddings.Text;

/// <summary>
/// Splits text of any script into lower-case words: runs of letters, digits and the marks that belong to them. Scripts written
/// without spaces (Chinese, Japanese, Thai…) give overlapping pairs of characters, the usual stand-in for a dictionary.
/// </summary>
public static class WordSplitter
{
    public static IEnumerable<string> Words(string text)
    {
        var word = new StringBuilder();
        var unspaced = new List<string>();
        foreach (var rune in text.EnumerateRunes())
        {
            bool continuous = IsWrittenWithoutSpaces(rune.Value);
            if (word.Length > 0 && (continuous || !BelongsToWord(rune)))
            {
                yield return word.ToString();
                word.Clear();
            }

            if (unspaced.Count > 0 && !continuous)
            {
                foreach (string pair in Pairs(unspaced))
                {
                    yield return pair;
                }

                unspaced.Clear();
            }

            if (continuous)
            {
                unspaced.Add(rune.ToString());
            }
            else if (BelongsToWord(rune))
            {
                word.Append(Rune.ToLowerInvariant(rune).ToString());
            }
        }

        if (word.Length > 0)
        {
            yield return word.ToString();
        }

        foreach (string pair in Pairs(unspaced))
        {
            yield return pair;
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
