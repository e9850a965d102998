using System.Text.RegularExpressions;
using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>
/// Something that DuckDB can select from: a .csv, .jsonl or .parquet file, or a query of the user's over files. Nothing of it is in
/// memory. A query runs with the user's own rights on this machine, as their shell would.
/// </summary>
/// <param name="Label">What faults call it: the file or the option.</param>
/// <param name="Relation">What stands after FROM.</param>
/// <param name="Columns">In the order of the source; names trimmed.</param>
internal sealed partial record TableSource(string Label, string Relation, IReadOnlyList<TableColumn> Columns)
{
    private static readonly string[] Extensions = [".csv", ".csv.gz", ".parquet", ".pq", ".jsonl", ".ndjson", ".jsonl.gz"];

    /// <summary>The file, where its rows are lines; null for a Parquet file, an archive or a query.</summary>
    public string? Lines { get; private init; }

    /// <summary>Lines before the first row.</summary>
    public int HeaderLines { get; private init; }

    /// <summary>Whether the header has blanks around its names; then those around the cells do not count either.</summary>
    public bool Padded { get; private init; }

    private bool IsCsv { get; init; }

    /// <exception cref="CatalogException">NotFound; an extension that is not known; a header that cannot be read.</exception>
    public static TableSource Open(TableEngine engine, string path)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"File '{path}' does not exist. Several files are read by a query, such as "
                + "--interactions-sql \"SELECT * FROM 'events/*.parquet'\".");
        }

        if (!Extensions.Any(extension => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
        {
            throw CatalogException.Invalid(
                $"File '{path}' ends in '{Path.GetExtension(path)}'; allowed here: {string.Join(", ", Extensions)}.");
        }

        string end = Path.GetExtension(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path).ToLowerInvariant();
        return end switch
        {
            ".csv" => Csv(engine, path),
            ".parquet" or ".pq" => Query(engine, path, $"SELECT * FROM read_parquet({Literal(path)})"),
            _ => JsonLines(engine, path),
        };
    }

    /// <summary>A table of text without quotes whose columns are known, such as MovieLens's u.data.</summary>
    public static TableSource Bare(string path, char delimiter, string[] names, string encoding = "utf-8") =>
        new(path, ReadCsv(path, delimiter, names, $"header = false, quote = '', escape = '', encoding = '{encoding}'"), Texts(names))
        {
            Lines = path,
            IsCsv = true,
        };

    /// <summary>The histories of a <c>sequences.txt</c> as rows; an item's place in its line is its time.</summary>
    public static TableSource Histories(TableEngine engine, string path) => Query(engine, path, $"""
        SELECT parts[1] AS "user", unnest(parts[2:]) AS item, unnest(range(1, len(parts))) AS timestamp
        FROM (SELECT string_split_regex(trim(line, e' \t'), '[ \t]+') AS parts FROM {TextLines(path, ignoreErrors: false)})
        """);

    private static string TextLines(string path, bool ignoreErrors) =>
        $"read_csv({Literal(path)}, auto_detect = false, header = false, ignore_errors = {ignoreErrors}, "
        + "columns = {'line': 'VARCHAR'}, delim = e'\x01', quote = '', escape = '')";

    // DuckDB's own guess of a dialect leaves out lines that do not fit it; so nothing is guessed.
    private static TableSource Csv(TableEngine engine, string path)
    {
        string header = engine.Rows(
            $"SELECT line FROM {TextLines(path, ignoreErrors: true)} LIMIT 1", row => row.GetString(0)).FirstOrDefault()
            ?? throw CatalogException.Invalid($"'{path}' is empty; it needs a header row.");
        string[] raw = [.. CsvCell().Matches(header).Select(cell => cell.Groups["quoted"] is { Success: true } quoted
            ? quoted.Value.Replace("\"\"", "\"", StringComparison.Ordinal) : cell.Groups["plain"].Value)];
        string[] names = [.. raw.Select((name, index) => name.Trim().Length == 0 ? $"column{index + 1}" : name.Trim())];
        if (names.GroupBy(name => name.ToUpperInvariant()).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw CatalogException.Invalid($"'{path}', line 1: column '{twice.First()}' appears {twice.Count()} times.");
        }

        return new TableSource(path, ReadCsv(path, ',', names, "header = true, quote = '\"', escape = '\"'"), Texts(names))
        {
            Lines = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? null : path,
            HeaderLines = 1,
            Padded = raw.Any(name => name != name.Trim()),
            IsCsv = true,
        };
    }

    private static string ReadCsv(string path, char delimiter, string[] names, string dialect) =>
        $"read_csv({Literal(path)}, auto_detect = false, store_rejects = true, rejects_limit = 1000, {dialect}, "
        + $"delim = {TableEngine.Text(delimiter.ToString())}, columns = {{"
        + string.Join(", ", names.Select(name => $"{TableEngine.Text(name)}: 'VARCHAR'")) + "})";

    /// <summary>Columns of text.</summary>
    public static TableColumn[] Texts(IEnumerable<string> names) => [.. names.Select(name => new TableColumn(name, "VARCHAR"))];

    // Every key of the first rows is a column; a line that is no JSON has none of them.
    private static TableSource JsonLines(TableEngine engine, string path)
    {
        string lines = $"read_ndjson_objects({Literal(path)}, ignore_errors = true)";
        string[] keys = [.. engine.Rows(
            $"SELECT DISTINCT unnest(json_keys(json)) AS name FROM (SELECT json FROM {lines} LIMIT 1000) ORDER BY name",
            row => row.GetString(0))];
        var columns = keys.Select(key => $"json ->> {TableEngine.Text(Pointer(key))} AS {TableEngine.Name(key)}");
        return new TableSource(path, $"(SELECT {string.Join(", ", columns.DefaultIfEmpty("NULL AS nothing"))} FROM {lines})",
            Texts(keys))
        {
            Lines = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? null : path,
        };
    }

    private static string Pointer(string key) =>
        "/" + key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <param name="label">The option that the query came with, or the file that it reads.</param>
    public static TableSource Query(TableEngine engine, string label, string sql)
    {
        string relation = $"(\n{sql.Trim().TrimEnd(';')}\n)"; // on lines of their own: a query may end in a comment
        try
        {
            return new TableSource(label, relation, [.. engine.Rows(
                $"DESCRIBE SELECT * FROM {relation}", row => new TableColumn(row.GetString(0), row.GetString(1)))]);
        }
        catch (CatalogException error)
        {
            throw new CatalogException(error.Fault, $"{label}: {error.Message}", error);
        }
    }

    // A file's name is no pattern, whatever it holds.
    private static string Literal(string path) =>
        TableEngine.Text(GlobLetter().Replace(Path.GetFullPath(path), letter => $"[{letter.Value}]"));

    /// <summary>Lists the lines that are no CSV, if the last read met any.</summary>
    public void AddRejected(TableEngine engine, Faults faults)
    {
        if (!IsCsv)
        {
            return;
        }

        foreach (string fault in engine.Rows(
            "SELECT DISTINCT ON (line) line, error_type::VARCHAR, error_message FROM reject_errors ORDER BY line",
            row => Describe(Convert.ToInt64(row.GetValue(0), null), row.GetString(1), row.GetString(2))))
        {
            faults.Add($"{Path.GetFileName(Label)}, {fault}");
        }

        engine.Execute("DROP TABLE reject_errors");
        engine.Execute("DROP TABLE reject_scans");

        string Describe(long line, string type, string message) => $"line {line}: " + type switch
        {
            "UNQUOTED VALUE" => "a quoted field does not end; quotes inside a field are doubled",
            "MISSING COLUMNS" or "TOO MANY COLUMNS" => ColumnNumbers().Replace(message, "$2 columns; the header has $1"),
            "INVALID ENCODING" => "the bytes are no UTF-8. Convert the file first, for example: iconv -f ISO-8859-1 -t UTF-8",
            _ => message,
        };
    }

    [GeneratedRegex("""(?:^|,)(?:\s*"(?<quoted>(?:[^"]|"")*)"\s*(?=,|$)|(?<plain>[^,]*))""")]
    private static partial Regex CsvCell();

    [GeneratedRegex(@"Expected Number of Columns: (\d+) Found: (\d+)")]
    private static partial Regex ColumnNumbers();

    /// <summary>Whether a line of a CSV file has a cell with blanks around it that stand in no quotes.</summary>
    public static bool HasLooseBlank(string line) => LooseBlank().IsMatch(line);

    [GeneratedRegex("""^(?:(?:"(?:[^"]|"")*"|[^",]*),)*(?:[ \t]+[^",]*|[^",]*[ \t]+)(?:,|$)""", RegexOptions.NonBacktracking)]
    private static partial Regex LooseBlank();

    [GeneratedRegex(@"[\[\]*?]")]
    private static partial Regex GlobLetter();
}
