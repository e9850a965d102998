using System.Globalization;

namespace Recsys.Catalog.Attributes;

/// <summary>What the text of an attribute stands for.</summary>
public static class AttributeValues
{
    /// <summary>Between the values of an attribute that has several: <c>Action|Comedy</c>.</summary>
    public const char Separator = '|';

    /// <summary>Between the steps of a path: <c>Beauty > Hair Care > Shampoos</c> is found by each of its beginnings as well.</summary>
    public const string Step = " > ";

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd",
        .. from divider in new[] { "'T'", " " }
           from time in new[] { "HH:mm", "HH:mm:ss", "HH:mm:ss.FFFFFFF" }
           from zone in new[] { "", "K", "zz" }
           select $"yyyy-MM-dd{divider}{time}{zone}",
    ];

    /// <summary>Every value that a text has, and of a path its beginnings.</summary>
    public static IEnumerable<string> Of(string text)
    {
        foreach (string value in text.Split(Separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            for (int at = 0; (at = value.IndexOf(Step, at, StringComparison.Ordinal)) >= 0; at++)
            {
                yield return value[..at];
            }

            yield return value;
        }
    }

    /// <summary>Reads an ISO 8601 date, with or without time and offset, or the same with " UTC" behind it.</summary>
    public static bool TryTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text.EndsWith(" UTC", StringComparison.Ordinal) ? text[..^4] + "Z" : text, Formats, CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal, out time);
}
