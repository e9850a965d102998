using System.Globalization;

namespace Recsys.Store.Redis;

/// <summary>Moments as Redis holds them: ticks of UTC, all of one length, so that a script compares them as texts.</summary>
internal static class TimeTexts
{
    public const int Length = 19;

    public static string Of(DateTimeOffset time) => time.UtcTicks.ToString("D19", CultureInfo.InvariantCulture);

    /// <returns>Null: the text is no moment.</returns>
    public static DateTimeOffset? Parse(string text) =>
        text.Length == Length && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long ticks)
            && ticks <= DateTime.MaxValue.Ticks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : null;
}
