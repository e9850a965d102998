using System.Globalization;
using Recsys.Catalog;

namespace Recsys.Store.Versions;

/// <summary><c>live/events-DATE.jsonl</c>: interactions as they were told, a file for each day (UTC).</summary>
internal sealed class EventJournal(string root, TimeSpan patience, TimeProvider time)
{
    private const string Prefix = "events-", Extension = ".jsonl", Day = "yyyy-MM-dd";

    private readonly string _folder = Path.Combine(root, LiveJournal.FolderName);

    private sealed record Line(string User, string Item, DateTimeOffset Time, DateTimeOffset Noted);

    /// <summary>Returns when all of them are on disk.</summary>
    public void Append(IReadOnlyList<Interaction> interactions)
    {
        foreach (var day in interactions.GroupBy(interaction => interaction.Noted.UtcDateTime.Date))
        {
            Of(Path.Combine(_folder, $"{Prefix}{day.Key.ToString(Day, CultureInfo.InvariantCulture)}{Extension}")).Append(
                [.. day.Select(one => new Line(one.UserId, one.ItemId, one.Time.ToUniversalTime(), one.Noted.ToUniversalTime()))],
                patience, time);
        }
    }

    /// <summary>What was noted at or after a moment, in the order in which it was noted.</summary>
    /// <exception cref="CatalogException">DataLoss: a line is damaged that is not the last of its file.</exception>
    public IEnumerable<Interaction> Read(DateTimeOffset since)
    {
        string first = Prefix + since.UtcDateTime.ToString(Day, CultureInfo.InvariantCulture) + Extension;
        string[] files = Directory.Exists(_folder) ? Directory.GetFiles(_folder, $"{Prefix}*{Extension}") : [];
        return files.Where(file => string.CompareOrdinal(Path.GetFileName(file), first) >= 0).Order(StringComparer.Ordinal)
            .SelectMany(file => Of(file).Read()).Where(line => line.Noted >= since)
            .Select(line => new Interaction(line.User, line.Item, line.Time, line.Noted));
    }

    private static Journal<Line> Of(string path) => new(path, line => line.User.Length > 0 && line.Item.Length > 0, "events.append");
}
