using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>
/// What a time may be, for every reader: a number (Unix time in any one unit; only the order matters), an ISO 8601 date with or
/// without time and offset, the same with a blank and "UTC" behind it, or a column of a date type. Dates become microseconds.
/// </summary>
internal static class Timestamps
{
    public const string Allowed = "allowed: a finite number (Unix time, one unit a file) or an ISO 8601 date such as 2021-04-03, "
        + "2021-04-03T10:00:00Z or 2021-04-03 10:00:00 UTC";

    private const string Whole = "[+-]?[0-9]+", Real = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?";
    private const string Day = "[0-9]{4}-[0-9]{2}-[0-9]{2}", Zone = "Z|[+-][0-9]{2}(:?[0-9]{2})?| ?UTC";
    private const string Date = $"{Day}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,9}})?)?({Zone})?)?";

    /// <summary>
    /// SQL macros over texts: <c>moment(t)</c>, microseconds of a date or null; <c>kind(t)</c>: 0 a whole number, 1 another finite
    /// number, 2 a date, null none of them. DuckDB wants seconds before an offset, so they are put in.
    /// </summary>
    public static void Define(TableEngine engine)
    {
        engine.Execute($"""
            CREATE TEMP MACRO moment(t) AS CASE WHEN regexp_full_match(t, '{Date}') THEN epoch_us(TRY_CAST(
                regexp_replace(t, '([T ][0-9][0-9]:[0-9][0-9])({Zone})$', '\1:00\2') AS TIMESTAMPTZ)) END
            """);
        engine.Execute($"""
            CREATE TEMP MACRO kind(t) AS CASE
                WHEN regexp_full_match(t, '{Whole}') AND TRY_CAST(t AS BIGINT) IS NOT NULL THEN 0
                WHEN regexp_full_match(t, '{Real}') AND isfinite(TRY_CAST(t AS DOUBLE)) THEN 1
                WHEN moment(t) IS NOT NULL THEN 2 END
            """);
    }

    /// <summary>A column as a number, or as a text that <c>kind</c> judges.</summary>
    public static string Value(TableColumn column, string label)
    {
        string name = TableEngine.Name(column.Name);
        return column switch
        {
            { IsText: true } => $"trim({name}::VARCHAR)",
            { IsInteger: true } => $"TRY_CAST({name} AS BIGINT)",
            { IsNumber: true } => $"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END",
            { Type: "TIMESTAMP WITH TIME ZONE" } => $"CASE WHEN isfinite({name}) THEN epoch_us({name}) END",
            { Type: var type } when type == "DATE" || type.StartsWith("TIMESTAMP", StringComparison.Ordinal) =>
                $"CASE WHEN isfinite({name}::TIMESTAMP) THEN epoch_us({name}::TIMESTAMP) END",
            _ => throw CatalogException.Invalid($"{label}: column '{column.Name}' is of type {column.Type}; {Allowed}."),
        };
    }
}
