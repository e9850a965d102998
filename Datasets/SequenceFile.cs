using System.Text;
using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets;

/// <summary>What becomes of interactions with items that are not in the items file.</summary>
public enum UnknownItems
{
    Refused,
    Dropped,

    /// <summary>There is no items file: the interactions name the items.</summary>
    Added,
}

/// <summary>Reads histories into flat arrays, a line at a time.</summary>
public static class SequenceFile
{
    public const string Text = "sequences.txt";
    public const string Csv = "interactions.csv";

    /// <summary>The file with the interactions of a folder; null without one.</summary>
    public static string? Locate(string folder) => TextFile.OneOf(folder, Text, Csv);

    /// <param name="items">Item id → index; what is added is added here.</param>
    /// <returns>The histories, how many interactions were dropped, and the time of the newest one; null: it is not known.</returns>
    /// <exception cref="CatalogException">Every fault with its line.</exception>
    public static (SequenceSet Sequences, long Dropped, DateTimeOffset? Newest) Read(
        string path, OrderedDictionary<string, int> items, UnknownItems unknown) =>
        path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? ReadCsv(path, items, unknown) : ReadText(path, items, unknown);

    /// <summary>"user item item …" a line, oldest first, parted by spaces or tabs.</summary>
    private static (SequenceSet Sequences, long Dropped, DateTimeOffset? Newest) ReadText(
        string path, OrderedDictionary<string, int> items, UnknownItems unknown)
    {
        long dropped = 0;
        var faults = new Faults(path);
        var (users, offsets, flat) = (new OrderedDictionary<string, bool>(StringComparer.Ordinal), new List<int> { 0 }, new List<int>());
        foreach (var (line, text) in TextFile.Lines(path))
        {
            string[] words = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                continue;
            }

            if (!users.TryAdd(words[0], true))
            {
                faults.AddLine(path, line, $"user '{words[0]}' has a line before; one line a user");
            }

            foreach (string id in words.AsSpan(1))
            {
                if (items.TryGetValue(id, out int item) || (unknown == UnknownItems.Added && items.TryAdd(id, item = items.Count)))
                {
                    flat.Add(item);
                }
                else if (unknown == UnknownItems.Dropped)
                {
                    dropped++;
                }
                else
                {
                    faults.AddLine(
                        path, line, $"item '{id}' is not in the items file; add it there, or drop such interactions with --drop-unknown");
                }
            }

            offsets.Add(flat.Count);
        }

        faults.ThrowIfAny();
        return (new SequenceSet([.. users.Keys], [.. offsets], [.. flat]), dropped, null);
    }

    /// <summary>Columns user, item, timestamp (any order, more columns ignored); sorted by time, ties keep the file's order.</summary>
    private static (SequenceSet Sequences, long Dropped, DateTimeOffset? Newest) ReadCsv(
        string path, OrderedDictionary<string, int> items, UnknownItems unknown)
    {
        using var engine = new TableEngine();
        bool added = unknown == UnknownItems.Added;
        var table = InteractionTable.Load(
            engine, TableSource.Open(engine, path), default, added ? null : items.Keys, unknown == UnknownItems.Dropped);
        foreach (string id in added ? table.ItemIds : [])
        {
            items.Add(id, items.Count);
        }

        return (table.ReadSequences(), table.UnknownDropped, table.Newest);
    }

    /// <summary>Writes <c>sequences.txt</c>; ids must hold no white space.</summary>
    public static void WriteText(Stream stream, SequenceSet sequences, IReadOnlyList<string> itemIds)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        for (int user = 0; user < sequences.Count; user++)
        {
            writer.WriteLine(string.Join(' ', [sequences.Users[user], .. sequences[user].ToArray().Select(item => itemIds[item])]));
        }
    }
}
