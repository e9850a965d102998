using System.Text.Json;
using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>
/// Items of a .csv or .parquet file or of a query, streamed in its order: the id, title and image columns, every other column a
/// field. Lists become one text, joined by " | ".
/// </summary>
internal static class ItemRows
{
    /// <param name="names">Columns that the user named, null where the usual names (for the id also the first column) will do.</param>
    /// <exception cref="CatalogException">Every fault with its row.</exception>
    public static IEnumerable<Item> Read(
        Func<TableEngine, TableSource> open, (string? Id, string? Title, string? Image) names)
    {
        using var engine = new TableEngine();
        var source = open(engine);
        var id = ColumnNames.Find(source, names.Id, "--id-column", ColumnNames.ItemKey) ?? source.Columns[0];
        var title = ColumnNames.Find(source, names.Title, "--title-column", ColumnNames.Title);
        var image = ColumnNames.Find(source, names.Image, "--image-column", ColumnNames.Image);
        if (!id.IsText && !id.IsInteger)
        {
            throw CatalogException.Invalid(
                $"{source.Label}: column '{id.Name}' is of type {id.Type}; an item id is a text or a whole number. "
                + "Name another by --id-column, or cast it in a query (--items-sql).");
        }

        var cells = source.Columns.Select(column => Nested(column) ? $"to_json({TableEngine.Name(column.Name)})::VARCHAR"
            : source.Padded ? $"trim({TableEngine.Name(column.Name)}::VARCHAR)" : $"{TableEngine.Name(column.Name)}::VARCHAR");
        var faults = new Faults(source.Label);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        long row = 0;
        foreach (string?[] values in engine.Rows(
            $"SELECT {string.Join(", ", cells)} FROM {source.Relation}",
            reader => source.Columns.Select((_, at) => reader.IsDBNull(at) ? null : reader.GetString(at)).ToArray()))
        {
            row++;
            var item = ToItem(source.Columns, values, id, title, image);
            if (item.Id.Length == 0 || item.Id.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0)
            {
                faults.Add($"row {row}: the item id is '{item.Id}'; allowed: one letter or more, no tabs, no line breaks");
            }
            else if (!seen.Add(item.Id))
            {
                faults.Add($"row {row}: item id '{item.Id}' appears a second time; ids must be unique");
            }
            else if (faults.Count == 0)
            {
                yield return item;
            }
        }

        source.AddRejected(engine, faults);
        faults.ThrowIfAny();
    }

    private static Item ToItem(
        IReadOnlyList<TableColumn> columns, string?[] values, TableColumn id, TableColumn? title, TableColumn? image)
    {
        var (key, name, picture) = ("", "", (string?)null);
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int at = 0; at < values.Length; at++)
        {
            var column = columns[at];
            string value = values[at] is not { } text ? "" : Nested(column) ? Flatten(text) : text;
            if (column == id)
            {
                key = value;
            }
            else if (value.Length == 0)
            {
                continue;
            }
            else if (column == title)
            {
                name = value;
            }
            else if (column == image)
            {
                picture = value;
            }
            else
            {
                fields[column.Name] = value;
            }
        }

        return new Item(key, name, fields, picture);
    }

    private static bool Nested(TableColumn column) =>
        column.Type.EndsWith(']') || (column.Type.EndsWith(')') && !column.IsNumber && !column.IsText);

    private static string Flatten(string json)
    {
        using var document = JsonDocument.Parse(json);
        return ItemFile.Flatten(document.RootElement);
    }
}
