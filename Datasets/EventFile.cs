using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary><c>events.jsonl</c>: interactions that came after the others of the folder, as a server was told them.</summary>
public static class EventFile
{
    public const string Name = "events.jsonl";

    private sealed record Header(DateTimeOffset Until);

    private sealed record Line(string User, string Item, DateTimeOffset Time, DateTimeOffset Noted);

    /// <summary>Writes the file anew, each interaction once, by time.</summary>
    /// <param name="folder">A dataset's.</param>
    /// <param name="until">When the last of those that are meant was noted at the latest.</param>
    /// <returns>How many there are.</returns>
    public static int Write(string folder, IEnumerable<Interaction> interactions, DateTimeOffset until)
    {
        Interaction[] distinct = [.. interactions.DistinctBy(one => (one.UserId, one.ItemId, one.Time)).OrderBy(one => one.Time)];
        AtomicFile.Write(Path.Combine(folder, Name), stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
            writer.WriteLine(JsonSerializer.Serialize(new Header(until), Json.Lines));
            foreach (var one in distinct)
            {
                writer.WriteLine(JsonSerializer.Serialize(new Line(one.UserId, one.ItemId, one.Time, one.Noted), Json.Lines));
            }
        });
        return distinct.Length;
    }

    /// <returns>Until when, and by time; null and empty where there is no file.</returns>
    /// <exception cref="CatalogException">InvalidArgument: a line that is no interaction.</exception>
    public static (DateTimeOffset? Until, IReadOnlyList<Interaction> Interactions) Read(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return (null, []);
        }

        var (until, interactions) = ((DateTimeOffset?)null, new List<Interaction>());
        foreach (var (number, text) in TextFile.Lines(path))
        {
            if (number == 1)
            {
                until = Parse<Header>(path, number, text).Until;
                continue;
            }

            var line = Parse<Line>(path, number, text);
            interactions.Add(new Interaction(line.User, line.Item, line.Time, line.Noted));
        }

        return (until, interactions);
    }

    /// <summary>Histories with interactions behind those that there are; new users behind the others.</summary>
    /// <param name="events">By time.</param>
    /// <param name="newest">Time of the newest interaction that is in the histories: they have all up to it. Null: unknown, and all are
    /// new.</param>
    /// <param name="items">Item id → index; what is added is added here.</param>
    /// <returns>The histories, and how many interactions were dropped because no item has their id.</returns>
    internal static (SequenceSet Sequences, long Dropped) Behind(
        SequenceSet histories, IReadOnlyList<Interaction> events, DateTimeOffset? newest, OrderedDictionary<string, int> items, bool added)
    {
        var more = new OrderedDictionary<string, List<int>>(StringComparer.Ordinal);
        long dropped = 0;
        foreach (var one in events.Where(one => !(one.Time <= newest)))
        {
            if (!items.TryGetValue(one.ItemId, out int item))
            {
                if (!added)
                {
                    dropped++;
                    continue;
                }

                items.Add(one.ItemId, item = items.Count);
            }

            if (!more.TryGetValue(one.UserId, out var list))
            {
                more.Add(one.UserId, list = []);
            }

            list.Add(item);
        }

        var known = histories.Users.ToHashSet(StringComparer.Ordinal);
        string[] users = [.. histories.Users, .. more.Keys.Where(user => !known.Contains(user))];
        var (offsets, flat) = (new List<int> { 0 }, new List<int>());
        foreach (var (index, user) in users.Index())
        {
            flat.AddRange(index < histories.Count ? histories[index] : []);
            flat.AddRange(more.GetValueOrDefault(user) ?? []);
            offsets.Add(flat.Count);
        }

        return (new SequenceSet(users, [.. offsets], [.. flat]), dropped);
    }

    private static T Parse<T>(string path, long number, string text)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text, Json.Lines)!;
        }
        catch (JsonException error)
        {
            throw CatalogException.Invalid(
                $"'{path}', line {number}: no interaction of a server ({error.Message}). rebuild --events writes this file; remove it, and "
                + "it is written anew.",
                error);
        }
    }
}
