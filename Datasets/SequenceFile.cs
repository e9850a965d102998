using System.Text;
using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets;

/// <summary>Reads histories into flat arrays, a line at a time; resolves item ids through <see cref="IdTable"/>.</summary>
public static class SequenceFile
{
    public const string Text = "sequences.txt";
    public const string Csv = "interactions.csv";

    /// <summary>The file with the interactions of a folder; null without one.</summary>
    public static string? Locate(string folder)
    {
        string text = Path.Combine(folder, Text), csv = Path.Combine(folder, Csv);
        return (File.Exists(text), File.Exists(csv)) switch
        {
            (true, true) => throw CatalogException.Invalid($"'{folder}' has both {Text} and {Csv}; keep one of them."),
            (true, false) => text,
            (false, true) => csv,
            _ => null,
        };
    }

    /// <exception cref="CatalogException">Every fault with its line.</exception>
    public static SequenceSet Read(string path, IdTable items) => Read(path, items, dropUnknown: false, out _);

    /// <param name="dropUnknown">Whether interactions with items that are not in the table are dropped instead of refused.</param>
    /// <param name="dropped">How many were.</param>
    public static SequenceSet Read(string path, IdTable items, bool dropUnknown, out long dropped) =>
        path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)
            ? ReadCsv(path, items, dropUnknown, out dropped) : ReadText(path, items, dropUnknown, out dropped);

    /// <summary>"user item item …" a line, oldest first, parted by spaces or tabs.</summary>
    private static SequenceSet ReadText(string path, IdTable items, bool dropUnknown, out long dropped)
    {
        dropped = 0;
        var faults = new Faults(path);
        var (users, offsets, flat) = (new List<string>(), new List<int> { 0 }, new List<int>());
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (line, text) in TextFile.Lines(path))
        {
            bool first = true;
            foreach (var range in text.AsSpan().SplitAny(' ', '\t'))
            {
                var token = text.AsSpan()[range];
                if (token.IsEmpty)
                {
                    continue;
                }

                if (first)
                {
                    first = false;
                    string user = token.ToString();
                    if (!seen.Add(user))
                    {
                        faults.AddLine(path, line, $"user '{user}' has a line before; one line a user");
                    }

                    users.Add(user);
                }
                else if (items.TryResolve(token, out int item))
                {
                    flat.Add(item);
                }
                else if (dropUnknown)
                {
                    dropped++;
                }
                else
                {
                    faults.AddLine(
                        path, line,
                        $"item '{token}' is not in the items file; add it there, or drop such interactions with --drop-unknown");
                }
            }

            if (!first)
            {
                offsets.Add(flat.Count);
            }
        }

        faults.ThrowIfAny();
        return new SequenceSet([.. users], [.. offsets], [.. flat]);
    }

    /// <summary>Columns user, item, timestamp (any order, more columns ignored); sorted by time, ties keep the file's order.</summary>
    private static SequenceSet ReadCsv(string path, IdTable items, bool dropUnknown, out long dropped)
    {
        using var engine = new TableEngine();
        var table = InteractionTable.Load(
            engine, TableSource.Open(engine, path), default, items.Grows ? null : items.Ids, dropUnknown);
        foreach (string id in items.Grows ? table.ItemIds : [])
        {
            _ = items.TryResolve(id, out _);
        }

        dropped = table.UnknownDropped;
        return table.ReadSequences();
    }

    /// <summary>Writes <c>sequences.txt</c>; ids must hold no white space.</summary>
    public static void WriteText(Stream stream, SequenceSet sequences, IReadOnlyList<string> itemIds)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        for (int user = 0; user < sequences.Count; user++)
        {
            writer.Write(sequences.Users[user]);
            foreach (int item in sequences[user])
            {
                writer.Write(' ');
                writer.Write(itemIds[item]);
            }

            writer.WriteLine();
        }
    }
}
