using System.Globalization;
using System.Text;
using Recsys.Catalog;

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

    public static SequenceSet Read(string path, IdTable items) =>
        path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? ReadCsv(path, items) : ReadText(path, items);

    /// <summary>"user item item …" a line, oldest first, parted by spaces or tabs.</summary>
    private static SequenceSet ReadText(string path, IdTable items)
    {
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
                else
                {
                    faults.AddLine(path, line, $"item '{token}' is not in the items file; add it there or remove it here");
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

    /// <summary>Header with user, item, timestamp (any order, more columns ignored); sorted by time, ties keep the file's order.</summary>
    private static SequenceSet ReadCsv(string path, IdTable items)
    {
        var faults = new Faults(path);
        var builder = new InteractionBuilder();
        var fields = new List<string>();
        int[]? columns = null;
        int width = 0;
        bool? dates = null;
        foreach (var (line, text) in TextFile.Lines(path))
        {
            if (text.Length == 0)
            {
                continue;
            }

            if (!TextFile.TrySplitCsv(text, fields))
            {
                faults.AddLine(path, line, "a quoted field does not end; quotes inside a field are doubled, line breaks not allowed");
                continue;
            }

            if (columns is null)
            {
                width = fields.Count;
                columns = [.. new[] { "user", "item", "timestamp" }.Select(name => fields.FindIndex(field => field.Trim().Equals(name, StringComparison.OrdinalIgnoreCase)))];
                if (columns.Contains(-1))
                {
                    throw CatalogException.Invalid(
                        $"'{path}', line 1: the header is '{text}'; it must name the columns user, item and timestamp.");
                }

                continue;
            }

            if (fields.Count != width)
            {
                faults.AddLine(path, line, $"{fields.Count} columns; the header has {width}");
                continue;
            }

            var (user, item, stamp) = (fields[columns[0]], fields[columns[1]], fields[columns[2]]);
            if (user.Length == 0)
            {
                faults.AddLine(path, line, "the user is empty");
            }

            if (!items.TryResolve(item, out int index))
            {
                faults.AddLine(path, line, $"item '{item}' is not in the items file; add it there or remove it here");
            }

            if (!TryTime(stamp, out double time, out bool date))
            {
                faults.AddLine(path, line, $"timestamp '{stamp}'; allowed: a finite number (Unix time, any unit) or an ISO 8601 date");
            }
            else if ((dates ??= date) != date)
            {
                faults.AddLine(
                    path, line,
                    $"timestamp '{stamp}' is {(date ? "a date" : "a number")}, but the file began with "
                    + $"{(date ? "a number" : "a date")}; one kind a file");
            }

            if (faults.Count == 0)
            {
                builder.Add(user, index, time);
            }
        }

        if (columns is null)
        {
            faults.Add($"{Path.GetFileName(path)} is empty; it needs the header user,item,timestamp");
        }

        faults.ThrowIfAny();
        return builder.Build();
    }

    private static bool TryTime(string text, out double time, out bool date)
    {
        date = false;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out time))
        {
            return double.IsFinite(time);
        }

        date = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment);
        time = date ? (moment.UtcTicks - DateTime.UnixEpoch.Ticks) / 10.0 : 0; // microseconds: exact in a double until the year 2255
        return date;
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
