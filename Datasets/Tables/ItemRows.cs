using System.Data.Common;
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
        foreach (var item in ItemFile.Checked(source.Label, "row", Rows))
        {
            yield return item;
        }

        IEnumerable<(long Number, Item Item)> Rows(Faults faults)
        {
            long row = 0;
            foreach (var values in engine.Rows($"SELECT {string.Join(", ", cells)} FROM {source.Relation}", Values))
            {
                yield return (++row, ItemFile.ToItem(values, id.Name, title?.Name, image?.Name));
            }

            source.AddRejected(engine, faults);
        }

        (string Column, string Value)[] Values(DbDataReader reader) => [.. source.Columns.Select((column, at) => (
            column.Name, reader.IsDBNull(at) ? "" : Nested(column) ? Flattened(reader.GetString(at)) : reader.GetString(at)))];

        string Flattened(string json) => ItemFile.Flatten(JsonElement.Parse(json));
    }

    private static bool Nested(TableColumn column) =>
        column.Type.EndsWith(']') || (column.Type.EndsWith(')') && !column.IsNumber && !column.IsText);
}
