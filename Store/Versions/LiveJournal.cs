using Recsys.Catalog;

namespace Recsys.Store.Versions;

/// <summary>
/// <c>live/values.jsonl</c>: what items' attributes are whatever version serves, a line for each item and moment. When the file has
/// doubled it is written anew with what still counts.
/// </summary>
internal sealed class LiveJournal(string root, TimeSpan patience, TimeProvider time)
{
    public const string FolderName = "live";

    /// <summary>Bytes up to which the journal is left as it is.</summary>
    private const long MinLength = 4 << 20;

    private readonly Journal<Line> _journal = new(
        Path.Combine(root, FolderName, "values.jsonl"), line => line.Values.Count > 0 && line.Time >= 0, "live.append");

    private long _shortenAt = MinLength;

    /// <param name="Time">Ticks of UTC.</param>
    /// <param name="Values">By attribute; null: what the version says counts again.</param>
    private sealed record Line(string Item, long Time, Dictionary<string, string?> Values);

    /// <summary>Returns when all of them are on disk.</summary>
    public void Append(IEnumerable<LiveValue> values)
    {
        _journal.Append(Lines(values), patience, time);
        if (_journal.Length > Interlocked.Read(ref _shortenAt))
        {
            long left = _journal.Shorten(_shortenAt, lines => Lines(Latest(lines.SelectMany(Values))), patience, time);
            Interlocked.Exchange(ref _shortenAt, Math.Max(MinLength, 2 * left));
        }
    }

    /// <summary>Of each item and attribute the latest value.</summary>
    /// <exception cref="CatalogException">DataLoss: a line is damaged that is not the last.</exception>
    public IReadOnlyList<LiveValue> Read() => Latest(_journal.Read().SelectMany(Values));

    private static List<LiveValue> Latest(IEnumerable<LiveValue> values)
    {
        var latest = new OrderedDictionary<(string, string), LiveValue>();
        foreach (var value in values)
        {
            if (!latest.TryGetValue((value.ItemId, value.Attribute), out var known) || known.Time < value.Time)
            {
                latest[(value.ItemId, value.Attribute)] = value;
            }
        }

        return [.. latest.Values];
    }

    private static Line[] Lines(IEnumerable<LiveValue> values)
    {
        var lines = new OrderedDictionary<(string, long), Line>();
        foreach (var value in values)
        {
            var key = (value.ItemId, value.Time.UtcTicks);
            if (!lines.TryGetValue(key, out var line))
            {
                lines.Add(key, line = new Line(value.ItemId, value.Time.UtcTicks, []));
            }

            line.Values.TryAdd(value.Attribute, value.Text); // of one moment the first counts, in Redis too
        }

        return [.. lines.Values];
    }

    private static IEnumerable<LiveValue> Values(Line line) =>
        line.Values.Select(value => new LiveValue(line.Item, value.Key, value.Value, new DateTimeOffset(line.Time, TimeSpan.Zero)));
}
