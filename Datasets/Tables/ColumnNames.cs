using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>A column of a source with its type as DuckDB names it.</summary>
internal sealed record TableColumn(string Name, string Type)
{
    public bool IsInteger => Type is "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT"
        or "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "UHUGEINT";

    public bool IsText => Type is "VARCHAR" or "JSON" || Type.StartsWith("ENUM", StringComparison.Ordinal);

    public bool IsNumber => IsInteger || Type is "FLOAT" or "DOUBLE" || Type.StartsWith("DECIMAL", StringComparison.Ordinal);

    public bool IsVector => Type.EndsWith(']') && (Type.StartsWith("FLOAT[", StringComparison.Ordinal)
        || Type.StartsWith("DOUBLE[", StringComparison.Ordinal));
}

/// <summary>What columns are usually called; case, blanks, dashes and underscores do not count.</summary>
internal static class ColumnNames
{
    public static readonly string[] User = ["user", "userid", "customerid", "visitorid", "reviewerid", "memberid", "uid", "customer"];
    public static readonly string[] Item = ["item", "itemid", "productid", "parentasin", "asin", "movieid", "articleid", "sku", "product"];
    public static readonly string[] Time =
        ["timestamp", "eventtime", "ts", "time", "datetime", "unixreviewtime", "eventtimestamp", "createdat", "date"];
    public static readonly string[] ItemKey = [.. Item[1..], "id"];
    public static readonly string[] Title =
        ["title", "name", "productdisplayname", "productname", "itemname", "itemtitle", "producttitle"];
    public static readonly string[] Image = ["image", "imagefile", "imagepath"];
    public static readonly string[] Vector = ["embedding", "vector", "emb", "features"];

    /// <summary>The column that is meant: the one that was given, else the first of the usual names that is there; null: none.</summary>
    /// <exception cref="CatalogException">The given one is not there.</exception>
    public static TableColumn? Find(TableSource source, string? given, string option, string[] usual)
    {
        if (given is not null)
        {
            return source.Columns.FirstOrDefault(column => column.Name == given)
                ?? throw CatalogException.Invalid($"{source.Label}: {option} is '{given}'; the columns are: {List(source)}.");
        }

        string? found = First(source.Columns.Select(column => column.Name), usual);
        return source.Columns.FirstOrDefault(column => column.Name == found);
    }

    /// <summary>The name that comes first among the usual ones; null: none is there.</summary>
    public static string? First(IEnumerable<string> names, string[] usual) =>
        usual.SelectMany(name => names.Where(other => Plain(other) == name)).FirstOrDefault();

    public static string List(TableSource source) => string.Join(", ", source.Columns.Select(column => column.Name));

    private static string Plain(string name) =>
        string.Concat(name.Where(letter => letter is not ('_' or '-' or ' ' or '.'))).ToLowerInvariant();
}
