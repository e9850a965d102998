using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>
/// Embeddings of a Parquet file: a column with item ids and one of lists or arrays of numbers (also as pyarrow writes them). They are
/// taken over into an .npy with its ids, a row at a time.
/// </summary>
internal static class VectorRows
{
    /// <param name="items">Item id → index of the dataset.</param>
    /// <param name="dropUnknown">Whether rows of other items are dropped instead of refused.</param>
    /// <returns>Rows that were dropped.</returns>
    /// <exception cref="CatalogException">Every fault with its row.</exception>
    public static long Import(
        string path, string npy, string? idColumn, IReadOnlyDictionary<string, int> items, bool dropUnknown)
    {
        using var engine = new TableEngine();
        var source = TableSource.Open(engine, path);
        var id = ColumnNames.Find(source, idColumn, "--id-column", [.. ColumnNames.ItemKey, "item"]);
        var vector = ColumnNames.Find(source, null, "", ColumnNames.Vector) is { IsVector: true } named
            ? named : source.Columns.Where(column => column.IsVector).ToArray() is [var only] ? only : null;
        if (id is null || vector is null || !(id.IsText || id.IsInteger))
        {
            throw CatalogException.Invalid(
                $"'{path}' has the columns {string.Join(", ", source.Columns.Select(column => $"{column.Name} {column.Type}"))}; it needs "
                + "one with item ids (texts or whole numbers, item_id or --id-column) and one with lists of float or double (embedding).");
        }

        engine.CreateNumbered("items", "item_id", "item", items.OrderBy(item => item.Value).Select(item => item.Key));
        string rows = $"(SELECT row_number() OVER () AS n, {TableEngine.Name(id.Name)}::VARCHAR AS item_id, "
            + $"{TableEngine.Name(vector.Name)}::FLOAT[] AS vector FROM {source.Relation})";
        int dim = (int)engine.Count($"SELECT coalesce(max(len(vector)), 0) FROM {rows}");
        var tests = new List<string>
        {
            $"SELECT n, 'the item id is empty' AS fault FROM {rows} WHERE coalesce(item_id, '') = ''",
            $"SELECT max(n), format('item ''{{}}'' has a row before', item_id) FROM {rows} GROUP BY item_id HAVING count(*) > 1",
            $"SELECT n, format('{{}} values; the longest has {dim}, and all must have as many', coalesce(len(vector), 0)) "
                + $"FROM {rows} WHERE coalesce(len(vector), 0) <> {dim} OR {dim} = 0",
            $"SELECT n, 'a value is missing or not finite; leave the item out instead' FROM {rows} "
                + "WHERE len(list_filter(vector, x -> x IS NULL OR NOT isfinite(x))) > 0",
        };
        if (!dropUnknown)
        {
            tests.Add("SELECT n, format('item ''{}'' is not in the items file; add it there, or drop such rows with --drop-unknown', "
                + $"item_id) FROM {rows} ANTI JOIN items USING (item_id)");
        }

        var faults = new Faults(path);
        engine.AddFaults(faults, tests, row => $"row {row}");
        faults.ThrowIfAny();
        string known = $"FROM {rows} JOIN items USING (item_id) ORDER BY item";
        long count = engine.Count($"SELECT count(*) FROM {rows} JOIN items USING (item_id)");
        Directory.CreateDirectory(Path.GetDirectoryName(npy)!);
        Npy.Write(
            npy, engine.Rows($"SELECT vector {known}", row => (ReadOnlyMemory<float>)((List<float>)row.GetValue(0)).ToArray()),
            checked((int)count), dim);
        EmbeddingFile.WriteIds(npy, engine.Rows($"SELECT item_id {known}", row => row.GetString(0)));
        return engine.Count($"SELECT count(*) FROM {rows}") - count;
    }
}
