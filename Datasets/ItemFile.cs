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
    public static string? Locate(string folder) => TextFile.OneOf(folder, Tsv, Jsonl);

    /// <summary>Whether it is a table of tabs with such a column.</summary>
    internal static bool HasColumn(string path, string column) => path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase)
        && File.Exists(path) && TextFile.Lines(path).FirstOrDefault().Text?.Split('\t').Contains(column) == true;

    /// <summary>Streams the items in the order of the file; faults are listed together when it ends.</summary>
    /// <param name="names">Columns or keys that the user named, null where the usual names (for a table's id the first) will do.</param>
    /// <exception cref="CatalogException">Every fault with its line.</exception>
    internal static IEnumerable<Item> Read(string path, (string? Id, string? Title, string? Image) names) => Checked(
        path, $"{Path.GetFileName(path)}, line", faults => path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)
            ? ReadJsonl(path, names, faults) : ReadTsv(path, names, faults));

    /// <summary>Item id → index, in the order of the file.</summary>
    /// <inheritdoc cref="Read"/>
    internal static OrderedDictionary<string, int> ReadIds(string path, string? idColumn = null)
    {
        var ids = new OrderedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var item in Read(path, (idColumn, null, null)))
        {
            ids.Add(item.Id, ids.Count);
        }

        return ids;
    }

    /// <summary>Items with ids of their own; faults are listed together when they end, and nothing comes behind the first.</summary>
    /// <param name="place">What the number of an item counts, for the faults.</param>
    /// <param name="read">The items with their numbers; notes what else is wrong.</param>
    internal static IEnumerable<Item> Checked(string label, string place, Func<Faults, IEnumerable<(long Number, Item Item)>> read)
    {
        var faults = new Faults(label);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (number, item) in read(faults))
        {
            if (item.Id.Length == 0)
            {
                faults.Add($"{place} {number}: the item id is empty; every item needs one");
            }
            else if (item.Id.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0)
            {
                faults.Add($"{place} {number}: the item id is '{item.Id}'; allowed: no tabs, no line breaks");
            }
            else if (!seen.Add(item.Id))
            {
                faults.Add($"{place} {number}: item id '{item.Id}' appears a second time; ids must be unique");
            }
            else if (faults.Count == 0)
            {
                yield return item;
            }
        }

        faults.ThrowIfAny();
    }

    /// <summary>An item of its cells: empty ones are none, and those of no known column become fields.</summary>
    internal static Item ToItem(IEnumerable<(string Column, string Value)> cells, string id, string? title, string? image)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (column, value) in cells.Where(cell => cell.Value.Length > 0))
        {
            fields[column] = value;
        }

        return new Item(Taken(id) ?? "", Taken(title) ?? "", fields, Taken(image));

        string? Taken(string? column) => column is not null && fields.Remove(column, out string? value) ? value : null;
    }

    private static IEnumerable<(long Line, Item Item)> ReadTsv(
        string path, (string? Id, string? Title, string? Image) names, Faults faults)
    {
        string[]? header = null;
        var (id, title, image) = ("", (string?)null, (string?)null);
        foreach (var (line, text) in TextFile.Lines(path))
        {
            if (header is null)
            {
                header = text.Split('\t');
                CheckHeader(
                    path, header, [("itemIdColumn", names.Id), ("--title-column", names.Title), ("--image-column", names.Image)], faults);
                (id, title, image) = (names.Id ?? header[0], names.Title ?? Named("title") ?? Named("name"), names.Image ?? Named("image"));
                continue;
            }

            var cells = text.Split('\t');
            if (text.Length > 0 && cells.Length != header.Length)
            {
                faults.AddLine(
                    path, line, $"{cells.Length} columns; the header has {header.Length}. Cells may not hold tabs or line breaks");
            }
            else if (text.Length > 0)
            {
                yield return (line, ToItem(header.Zip(cells), id, title, image));
            }
        }

        if (header is null)
        {
            faults.Add($"{Path.GetFileName(path)} is empty; it needs a header row");
        }

        string? Named(string name) => header!.FirstOrDefault(column => column.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private static void CheckHeader(string path, string[] header, (string Option, string? Column)[] given, Faults faults)
    {
        foreach (var column in header.GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            faults.AddLine(path, 1, $"column '{column.Key}' appears {column.Count()} times; column names must be unique");
        }

        foreach (var (option, column) in given.Where(column => column.Column is not null && !header.Contains(column.Column)))
        {
            faults.AddLine(path, 1, $"{option} is '{column}'; allowed: {string.Join(", ", header)}");
            faults.ThrowIfAny();
        }
    }

    private static IEnumerable<(long Line, Item Item)> ReadJsonl(
        string path, (string? Id, string? Title, string? Image) names, Faults faults)
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
                item = FromJson(JsonElement.Parse(text), names);
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
                        + $"'{names.Id ?? "item_id, id, product_id, parent_asin, …"}' (or --id-column)");
            }
        }
    }

    private static Item? FromJson(JsonElement json, (string? Id, string? Title, string? Image) names)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        string? idKey = names.Id ?? (json.TryGetProperty("item_id", out _) ? "item_id" : json.TryGetProperty("id", out _) ? "id"
            : ColumnNames.First(json.EnumerateObject().Select(property => property.Name), ColumnNames.ItemKey));
        if (idKey is null || !json.TryGetProperty(idKey, out var idValue)
            || idValue.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
        {
            return null;
        }

        return ToItem(
            json.EnumerateObject().Select(property => (property.Name, Flatten(property.Value))),
            idKey, names.Title ?? (json.TryGetProperty("title", out _) ? "title" : "name"), names.Image ?? "image");
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
    /// <returns>Items that were written.</returns>
    public static int WriteTsv(Stream stream, Func<IEnumerable<Item>> items)
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
        int count = 0;
        foreach (var item in items())
        {
            writer.Write($"{item.Id}\t{Cell(item.Title)}");
            writer.Write(images ? $"\t{item.Image}" : "");
            columns.ForEach(column => writer.Write($"\t{Cell(item.Fields.GetValueOrDefault(column, ""))}"));
            writer.WriteLine();
            count++;
        }

        return count;
    }

    // A field of the owner's that is named like one of ours keeps its content under another name.
    private static string FreeName(string column) =>
        column.ToLowerInvariant() is "item_id" or "title" or "image" ? $"source_{column}" : Cell(column);

    private static string Cell(string text) =>
        text.AsSpan().IndexOfAny('\t', '\n', '\r') < 0 ? text : text.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' ');
}
