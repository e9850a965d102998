using System.Data.Common;
using System.Globalization;
using DuckDB.NET.Data;
using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>
/// One embedded DuckDB: tables of any size within a bound of memory; what is beyond it goes to temporary files. It reaches no
/// network: extensions are neither installed nor loaded, and what it needs (parquet, json, icu) is compiled in. Not thread-safe.
/// </summary>
internal sealed class TableEngine : IDisposable
{
    private const long MinMemory = 64L << 20, DefaultMemory = 2L << 30;

    private readonly DuckDBConnection _connection;
    private readonly string _folder;

    /// <param name="parent">Where its temporary folder is made, which goes with it; null: the system's.</param>
    /// <param name="memory">Bytes that tables and sorts may use; null: 2 GiB, or half of the machine's memory where that is less.</param>
    public TableEngine(string? parent = null, long? memory = null)
    {
        long bytes = memory ?? Math.Min(DefaultMemory, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
        if (bytes < MinMemory)
        {
            throw CatalogException.Invalid($"The memory limit is {bytes} bytes; allowed: at least {MinMemory} (64 MiB).");
        }

        Memory = bytes;
        _folder = Path.Combine(parent ?? Path.GetTempPath(), $".tables-{Guid.NewGuid():N}");
        string source = ":memory:";
        if (parent is not null)
        {
            // Tables of an import lie in a file of their own, compressed; small reads need no file.
            Directory.CreateDirectory(_folder);
            source = Path.Combine(_folder, "tables.duckdb");
        }

        _connection = new DuckDBConnection(new DuckDBConnectionStringBuilder { DataSource = source }.ConnectionString);
        Guarded<object?>(() =>
        {
            _connection.Open();
            return null;
        });
        Execute($"SET memory_limit = '{(bytes >> 20).ToString(CultureInfo.InvariantCulture)}MiB'");
        Execute($"SET threads = {Math.Max(1, Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture)}");
        Execute($"SET temp_directory = {Text(Path.Combine(_folder, "spill"))}");
        Execute("SET TimeZone = 'UTC'");
        Execute("SET autoinstall_known_extensions = false");
        Execute("SET autoload_known_extensions = false");
        Execute("SET lock_configuration = true"); // a query of the user's changes none of it
    }

    /// <summary>Bytes that tables and sorts may use.</summary>
    public long Memory { get; }

    /// <summary>A name of a table or column as SQL has it, whatever is in it.</summary>
    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A text as SQL has it, whatever is in it.</summary>
    public static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <returns>Rows that were made or changed.</returns>
    public long Execute(string sql) => Guarded(() =>
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteNonQuery();
    });

    public long Count(string sql) => Rows(sql, row => Convert.ToInt64(row.GetValue(0), CultureInfo.InvariantCulture)).Single();

    /// <summary>Streams the rows of a query; nothing but one chunk of them is held.</summary>
    public IEnumerable<T> Rows<T>(string sql, Func<DbDataReader, T> read)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = true;
        using var reader = Guarded(command.ExecuteReader);
        while (Guarded(reader.Read))
        {
            yield return read(reader);
        }
    }

    /// <summary>A table of texts, numbered from 0 in their order.</summary>
    public void CreateNumbered(string table, string text, string number, IEnumerable<string> values)
    {
        Execute($"CREATE TABLE {Name(table)} ({Name(text)} VARCHAR, {Name(number)} INTEGER)");
        using var appender = _connection.CreateAppender(table);
        int index = 0;
        foreach (string value in values)
        {
            appender.CreateRow().AppendValue(value).AppendValue(index++).EndRow();
        }
    }

    /// <summary>Notes what tests find, the first rows in full.</summary>
    /// <param name="tests">Queries for (n, fault): the number of a row, and what is wrong with it.</param>
    /// <param name="place">What faults call row n.</param>
    public void AddFaults(Faults faults, IEnumerable<string> tests, Func<long, string> place)
    {
        string all = string.Join("\nUNION ALL ", tests);
        var found = Rows(
            $"SELECT n, fault FROM ({all}) ORDER BY n LIMIT {Faults.Shown}", row => (Row: row.GetInt64(0), Fault: row.GetString(1)))
            .ToList();
        faults.AddRange(
            found.Select(fault => $"{place(fault.Row)}: {fault.Fault}"),
            found.Count < Faults.Shown ? found.Count : Count($"SELECT count(*) FROM ({all})"));
    }

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (DuckDBException error)
        {
            string message = error.Message.Trim(), first = message.Split('\n')[0];
            throw error.ErrorType is DuckDB.NET.Native.DuckDBErrorType.OutOfMemory
                ? new CatalogException(Fault.ResourceExhausted, $"{first} Raise --memory-limit, or free space on the disk.", error)
                : message.Contains("No space left on device", StringComparison.Ordinal)
                ? new CatalogException(Fault.ResourceExhausted, $"{first}. Make room there, or name another place.", error)
                : CatalogException.Invalid(message, error);
        }
    }

    public void Dispose()
    {
        _connection.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
