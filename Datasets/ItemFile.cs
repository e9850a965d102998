using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets;

/// <summary>
/// Reads items one at a time from <c>items.tsv</c> (header row, first column the id; columns title or name and image are known,
/// every other is a field; UTF-8, no quoting) or <c>items.jsonl</c> (one object a line with the same keys).
/// </summary>
public static class ItemFile
{
    public const string Tsv = "items.tsv";
    public const string Jsonl = "items.jsonl";

    /// <summary>The item file of a folder; null without one.</summary>
    public static string? Locate(string folder)
    {
        string tsv = Path.Combine(folder, Tsv), jsonl = Path.Combine(folder, Jsonl);
        return (File.Exists(tsv), File.Exists(jsonl)) switch
        {
            (true, true) => throw CatalogException.Invalid($"'{folder}' has both {Tsv} and {Jsonl}; keep one of them."),
            (true, false) => tsv,
            (false, true) => jsonl,
            _ => null,
        };
    }

    /// <summary>Streams the items in the order of the file; faults are listed together when it ends.</summary>
    /// <exception cref="CatalogException">Every fault with its line.</exception>
    public static IEnumerable<Item> Read(string path, string? idColumn)
    {
        var faults = new Faults(path);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (
            var (line, item) in path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)
                ? ReadJsonl(path, idColumn, faults)
                : ReadTsv(path, idColumn, faults))
        {
            if (item.Id.Length == 0)
            {
                faults.AddLine(path, line, "the item id is empty; every item needs one");
            }
            else if (!seen.Add(item.Id))
            {
                faults.AddLine(path, line, $"item id '{item.Id}' appears a second time; ids must be unique");
            }
            else if (faults.Count == 0)
            {
                yield return item;
            }
        }

        faults.ThrowIfAny();
    }

    private static IEnumerable<(long Line, Item Item)> ReadTsv(string path, string? idColumn, Faults faults)
    {
        string[]? header = null;
        int id = 0, title = -1, image = -1;
        foreach (var (line, text) in TextFile.Lines(path))
        {
            if (header is null)
            {
                header = text.Split('\t');
                (id, title, image) = Columns(path, header, idColumn, faults);
                continue;
            }

            if (text.Length == 0)
            {
                continue;
            }

            var cells = text.Split('\t');
            if (cells.Length != header.Length)
            {
                faults.AddLine(
                    path, line, $"{cells.Length} columns; the header has {header.Length}. Cells may not hold tabs or line breaks");
                continue;
            }

            var fields = new Dictionary<string, string>(header.Length, StringComparer.Ordinal);
            for (int column = 0; column < cells.Length; column++)
            {
                if (column != id && column != title && column != image && cells[column].Length > 0)
                {
                    fields[header[column]] = cells[column];
                }
            }

            yield return (
                line,
                new Item(cells[id], title < 0 ? "" : cells[title], fields, image < 0 || cells[image].Length == 0 ? null : cells[image]));
        }

        if (header is null)
        {
            faults.Add($"{Path.GetFileName(path)} is empty; it needs a header row");
        }
    }

    private static (int Id, int Title, int Image) Columns(string path, string[] header, string? idColumn, Faults faults)
    {
        foreach (var column in header.GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            faults.AddLine(path, 1, $"column '{column.Key}' appears {column.Count()} times; column names must be unique");
        }

        int id = idColumn is null ? 0 : Array.IndexOf(header, idColumn);
        if (id < 0)
        {
            faults.AddLine(path, 1, $"itemIdColumn is '{idColumn}'; allowed: {string.Join(", ", header)}");
            faults.ThrowIfAny();
        }

        int title = Named("title") is var named and >= 0 ? named : Named("name");
        return (id, title == id ? -1 : title, Named("image") is var image && image == id ? -1 : image);

        int Named(string name) => Array.FindIndex(header, column => column.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private static IEnumerable<(long Line, Item Item)> ReadJsonl(string path, string? idColumn, Faults faults)
    {
        foreach (var (line, text) in TextFile.Lines(path))
        {
            if (text.Length == 0)
            {
                continue;
            }

            Item? item = null;
            try
            {
                using var document = JsonDocument.Parse(text);
                item = FromJson(document.RootElement, idColumn);
            }
            catch (JsonException error)
            {
                faults.AddLine(path, line, $"no JSON: {error.Message}");
            }

            if (item is not null)
            {
                yield return (line, item);
            }
            else
            {
                faults.AddLine(
                    path, line, $"allowed: one JSON object with a string or number "
                        + $"'{idColumn ?? "item_id, id, product_id, parent_asin, …"}' (or --id-column)");
            }
        }
    }

    private static Item? FromJson(JsonElement json, string? idColumn)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        string? idKey = idColumn ?? (json.TryGetProperty("item_id", out _) ? "item_id" : json.TryGetProperty("id", out _) ? "id"
            : ColumnNames.First(json.EnumerateObject().Select(property => property.Name), ColumnNames.ItemKey));
        if (idKey is null || !json.TryGetProperty(idKey, out var idValue)
            || idValue.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
        {
            return null;
        }

        string titleKey = json.TryGetProperty("title", out _) ? "title" : "name";
        string title = "";
        string? image = null;
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in json.EnumerateObject())
        {
            string value = Flatten(property.Value);
            if (property.Name == idKey || value.Length == 0)
            {
                continue;
            }

            if (property.Name == titleKey)
            {
                title = value;
            }
            else if (property.Name == "image")
            {
                image = value;
            }
            else
            {
                fields[property.Name] = value;
            }
        }

        return new Item(Flatten(idValue), title, fields, image);
    }

    // Lists become one text, joined as in the TSV form of such data.
    internal static string Flatten(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        JsonValueKind.Array => string.Join(" | ", value.EnumerateArray().Select(Flatten).Where(part => part.Length > 0)),
        _ => value.GetRawText(),
    };

    /// <summary>
    /// Writes <c>items.tsv</c> with columns item_id, title, image (where any has one), then the fields in order of first appearance.
    /// The items are asked for twice: for the columns, then for the rows.
    /// </summary>
    public static void WriteTsv(Stream stream, Func<IEnumerable<Item>> items)
    {
        var columns = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        bool images = false;
        foreach (var item in items())
        {
            columns.AddRange(item.Fields.Keys.Where(known.Add));
            images |= item.Image is not null;
        }

        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        writer.Write(images ? "item_id\ttitle\timage" : "item_id\ttitle");
        columns.ForEach(column => writer.Write($"\t{FreeName(column)}"));
        writer.WriteLine();
        foreach (var item in items())
        {
            writer.Write($"{item.Id}\t{Cell(item.Title)}");
            writer.Write(images ? $"\t{item.Image}" : "");
            foreach (string column in columns)
            {
                writer.Write('\t');
                writer.Write(item.Fields.TryGetValue(column, out string? value) ? Cell(value) : "");
            }

            writer.WriteLine();
        }
    }

    // A field of the owner's that is named like one of ours keeps its content under another name.
    private static string FreeName(string column) =>
        column.ToLowerInvariant() is "item_id" or "title" or "image" ? $"source_{column}" : Cell(column);

    private static string Cell(string text) =>
        text.AsSpan().IndexOfAny('\t', '\n', '\r') < 0 ? text : text.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' ');
}
