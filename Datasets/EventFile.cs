using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary><c>events.jsonl</c>: interactions that came after the others of the folder, as a server was told them.</summary>
public static class EventFile
{
    public const string Name = "events.jsonl";

    private sealed record Line(string User, string Item, DateTimeOffset Time, DateTimeOffset Noted);

    /// <summary>Writes the file anew, each interaction once, by time. Without any there is no file.</summary>
    /// <param name="folder">A dataset's.</param>
    /// <returns>How many there are.</returns>
    public static int Write(string folder, IEnumerable<Interaction> interactions)
    {
        string path = Path.Combine(folder, Name);
        Interaction[] distinct = [.. interactions.DistinctBy(one => (one.UserId, one.ItemId, one.Time)).OrderBy(one => one.Time)];
        if (distinct.Length == 0)
        {
            File.Delete(path);
            return 0;
        }

        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
            foreach (var one in distinct)
            {
                writer.WriteLine(JsonSerializer.Serialize(new Line(one.UserId, one.ItemId, one.Time, one.Noted), Json.Lines));
            }
        });
        return distinct.Length;
    }

    /// <returns>By time; empty where there is no file.</returns>
    /// <exception cref="CatalogException">InvalidArgument: a line that is no interaction.</exception>
    public static IReadOnlyList<Interaction> Read(string folder)
    {
        string path = Path.Combine(folder, Name);
        return File.Exists(path) ? [.. TextFile.Lines(path).Select(line => Parse(path, line.Number, line.Text))] : [];
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

    private static Interaction Parse(string path, long number, string text)
    {
        try
        {
            var line = JsonSerializer.Deserialize<Line>(text, Json.Lines)!;
            return new Interaction(line.User, line.Item, line.Time, line.Noted);
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
