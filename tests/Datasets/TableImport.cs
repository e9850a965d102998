using DuckDB.NET.Data;
using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

/// <summary>Imports of tables of the user's own: what the tests of each kind of table share.</summary>
public abstract class TableImport : IDisposable
{
    protected TemporaryFolder Folder { get; } = new();

    protected static ImportOptions Options => new([], "");

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected Dataset Import(ImportOptions options) => Import(options, out _);

    protected Dataset Import(ImportOptions options, out ImportReport report)
    {
        report = DatasetImporter.Import(options with { Out = Folder["out"] });
        return Dataset.Open(Folder["out"]);
    }

    protected string Refusal(ImportOptions options)
    {
        string message = Assert.Throws<CatalogException>(() => Import(options)).Message;
        Assert.False(Directory.Exists(Folder["out"]));
        return message;
    }

    protected Dictionary<string, string> Named(string name, string file) => new() { [name] = Folder[file] };

    protected void Write(string file, string sql, string options = "COMPRESSION snappy") =>
        Query($"COPY ({sql}) TO '{Folder[file]}' (FORMAT parquet, {options})");

    protected static List<string> Query(string sql)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(reader.GetValue(0).ToString()!);
        }

        return rows;
    }

    protected static IEnumerable<string> Histories(Dataset dataset) => Enumerable.Range(0, dataset.Sequences.Count).Select(user =>
        $"{dataset.Sequences.Users[user]}: {string.Join(' ', dataset.Sequences[user].ToArray().Select(item => dataset.ItemIds[item]))}");
}
