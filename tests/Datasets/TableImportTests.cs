using System.Buffers.Binary;
using System.Text;
using DuckDB.NET.Data;
using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

/// <summary>Tables of the user's own: CSV, Parquet, JSON lines and queries over files.</summary>
public sealed class TableImportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Columns_with_usual_names_and_times_that_end_in_UTC_are_found()
    {
        _folder.With("e.csv", "event_time,event_type,product_id,user_id\n2019-10-01 00:00:02 UTC,view,b,u1\n2019-10-01 00:00:01 UTC,view,a,u1\n");
        using var dataset = Import(Options with { Interactions = _folder["e.csv"] });
        Assert.Equal(["u1: a b"], Histories(dataset));
    }

    [Fact]
    public void Columns_of_any_name_are_mapped_by_options()
    {
        _folder.With("e.csv", "who,when \"exactly\",what's\nu,2,b\nu,1,a\n");
        Assert.Contains("--item-column is 'nope'; the columns are: who,", Refusal(Options with { Interactions = _folder["e.csv"], ItemColumn = "nope" }));
        using var dataset = Import(Options with
        {
            Interactions = _folder["e.csv"], UserColumn = "who", ItemColumn = "what's", TimeColumn = "when \"exactly\"",
        });
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Fact]
    public void Parquet_interactions_items_and_vectors_make_a_dataset()
    {
        Write("e.parquet", "SELECT 7 AS user_id, 'b' AS item_id, TIMESTAMP '2020-01-02' AS event_time UNION ALL SELECT 7, 'a', TIMESTAMP '2020-01-01'");
        Write("i.parquet", "SELECT 'a' AS item_id, 'Mug' AS name, ['x', 'y'] AS tags, 1.50::DECIMAL(9,2) AS price UNION ALL SELECT 'b', 'Jug', NULL, NULL");
        Write("v.parquet", "SELECT 'b' AS item_id, [3, 4]::FLOAT[] AS vec UNION ALL SELECT 'a', [1, 2]::FLOAT[]");
        using var dataset = Import(Options with
        {
            Interactions = _folder["e.parquet"], Items = _folder["i.parquet"], Embeddings = Named("mine", "v.parquet"),
        });
        Assert.Equal(["7: a b"], Histories(dataset));
        Assert.Equal(("Mug", "x | y", "1.50"), (dataset.Items[0].Title, dataset.Items[0].Fields["tags"], dataset.Items[0].Fields["price"]));
        Assert.Empty(dataset.Items[1].Fields);
        Assert.Equal([1, 2, 3, 4], dataset.ReadEmbedding("mine").Data);
    }

    [Theory]
    [InlineData("FLOAT[]")]
    [InlineData("FLOAT[2]")]
    [InlineData("DOUBLE[]")]
    public void Vectors_of_lists_arrays_and_doubles_read_alike_also_in_pyarrows_shape(string type)
    {
        Write("i.parquet", "SELECT 'a' AS item_id UNION ALL SELECT 'b' UNION ALL SELECT 'c'");
        Write("v.parquet", $"SELECT 'c' AS item_id, [5, 6.5]::{type} AS embedding UNION ALL SELECT 'a', [1, -2]::{type}");
        File.WriteAllBytes(_folder["pyarrow.parquet"], WithLeafNamedItem(File.ReadAllBytes(_folder["v.parquet"])));
        Assert.Equal([type[..type.IndexOf('[')]], Query($"SELECT type FROM parquet_schema('{_folder["pyarrow.parquet"]}') WHERE name = 'item'"));
        using var dataset = Import(Options with
        {
            Items = _folder["i.parquet"],
            Embeddings = new Dictionary<string, string> { ["element"] = _folder["v.parquet"], ["item"] = _folder["pyarrow.parquet"] },
        });
        foreach (string name in new[] { "element", "item" })
        {
            var read = dataset.ReadEmbedding(name);
            Assert.Equal([1, -2, 0, 0, 5, 6.5f], read.Data);
            Assert.Equal([true, false, true], read.Present);
        }
    }

    [Theory]
    [InlineData("SELECT 'a' AS item_id, [1, NULL]::FLOAT[] AS v", "row 1: a value is missing or not finite")]
    [InlineData("SELECT 'a' AS item_id, [1, 'nan'::FLOAT] AS v", "row 1: a value is missing or not finite")]
    [InlineData("SELECT 'a' AS item_id, [1]::FLOAT[] AS v UNION ALL SELECT 'b', [1, 2]", "row 1: 1 values; the longest has 2")]
    [InlineData("SELECT 'a' AS item_id, NULL::FLOAT[] AS v UNION ALL SELECT 'b', [1, 2]", "row 1: 0 values")]
    [InlineData("SELECT 'a' AS item_id, [1]::FLOAT[] AS v UNION ALL SELECT 'a', [2]", "row 2: item 'a' has a row before")]
    [InlineData("SELECT 'z' AS item_id, [1]::FLOAT[] AS v", "row 1: item 'z' is not in the items file")]
    [InlineData("SELECT 1.5::DOUBLE AS item_id, [1]::FLOAT[] AS v", "item_id DOUBLE")]
    [InlineData("SELECT [1]::FLOAT[] AS v", "it needs one with item ids")]
    public void Faulty_vectors_are_refused_with_their_row(string rows, string fault)
    {
        _folder.With("i.tsv", "id\na\nb\n");
        Write("v.parquet", rows);
        Assert.Contains(fault, Refusal(Options with { Items = _folder["i.tsv"], Embeddings = Named("v", "v.parquet") }));
    }

    [Fact]
    public void A_query_over_files_gives_interactions_and_items()
    {
        Write("day1.parquet", "SELECT 'u' AS user_id, 'b' AS item_id, 2 AS ts");
        Write("day2.parquet", "SELECT 'u' AS user_id, 'a' AS item_id, 1 AS ts UNION ALL SELECT 'u', 'c', 3");
        _folder.With("names.csv", "sku,name\na,A\nb,\"B, large\"\n");
        using var dataset = Import(Options with
        {
            InteractionsSql = $"SELECT * FROM '{_folder["day*.parquet"]}' WHERE item_id <> 'c' -- not this one",
            ItemsSql = $"SELECT sku AS item_id, name AS title FROM '{_folder["names.csv"]}' ORDER BY sku DESC;",
        });
        Assert.Equal(["b", "a"], dataset.ItemIds);
        Assert.Equal("B, large", dataset.Items[0].Title);
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Theory]
    [InlineData("SELECT 1; DROP TABLE x", "syntax error")]
    [InlineData("SELECT * FROM 'http://127.0.0.1:1/x.parquet'", "httpfs")]
    [InlineData("SELECT * FROM 'absent.parquet'", "No files found")]
    [InlineData("COPY (SELECT 1) TO 'x'", "syntax error")]
    public void A_query_that_is_no_query_over_local_files_is_refused(string sql, string fault) =>
        Assert.Contains(fault, Refusal(Options with { InteractionsSql = sql }));

    [Fact]
    public void Json_lines_and_compressed_tables_give_interactions_too()
    {
        _folder.With("e.jsonl", "{\"user_id\": 1, \"asin\": \"a\", \"ts\": 2, \"x/y\": {}}\n{\"user_id\": 1, \"asin\": \"b\", \"ts\": 1}\n");
        using (var dataset = Import(Options with { Interactions = _folder["e.jsonl"] }))
        {
            Assert.Equal(["1: b a"], Histories(dataset));
        }

        using (var zip = new System.IO.Compression.GZipStream(File.Create(_folder["e.csv.gz"]), System.IO.Compression.CompressionLevel.Fastest))
        {
            zip.Write("user,item,timestamp\nu,b,2\nu,a,1\n"u8);
        }

        using var packed = Import(Options with { Interactions = _folder["e.csv.gz"], Force = true });
        Assert.Equal(["u: a b"], Histories(packed));
    }

    [Theory]
    [InlineData("{\"parent_asin\": \"a\", \"title\": \"Mug\"}\n", null)]
    [InlineData("{\"brand\": \"x\", \"code\": \"a\", \"name\": \"Mug\"}\n", "code")]
    public void Items_of_json_lines_are_found_by_a_usual_name_or_by_the_option(string text, string? column)
    {
        _folder.With("i.jsonl", text);
        using var dataset = Import(Options with { Items = _folder["i.jsonl"], ItemIdColumn = column });
        Assert.Equal(("a", "Mug"), (dataset.Items[0].Id, dataset.Items[0].Title));
    }

    [Theory]
    [InlineData("a[1].csv", "a1.csv")]
    [InlineData("a*.csv", "abc.csv")]
    [InlineData("a'; DROP.csv", "b.csv")]
    public void A_files_name_is_no_pattern_and_no_sql(string name, string other)
    {
        _folder.With(other, "user,item,timestamp\nwrong,wrong,1\n").With(name, "user,item,timestamp\nu,a,1\n");
        using var dataset = Import(Options with { Interactions = _folder[name] });
        Assert.Equal(["u: a"], Histories(dataset));
    }

    [Theory]
    [InlineData("2021-04-03")]
    [InlineData("2021-04-03 10:00")]
    [InlineData("2021-04-03T10:00Z")]
    [InlineData("2021-04-03T10:00:00+02:00")]
    [InlineData("2021-04-03T10:00:00.25-0500")]
    [InlineData("2021-04-03 10:00:00 UTC")]
    [InlineData("2021-04-03 10:00 UTC")]
    public void An_iso_date_is_the_moment_that_the_runtime_reads(string text)
    {
        _folder.With("e.csv", $"user,item,timestamp\nu,a,{text}\n");
        using var dataset = Import(Options with { Interactions = _folder["e.csv"] });
        var expected = DateTimeOffset.Parse(
            text.Replace(" UTC", "Z"), System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal);
        Assert.Equal($"u,a,{(expected - DateTimeOffset.UnixEpoch).Ticks / 10}", File.ReadLines(_folder["out/interactions.csv"]).Last());
    }

    [Theory]
    [InlineData("03-04-2021")]
    [InlineData("03-04-2021 10:00")]
    [InlineData("08/25/2022")]
    [InlineData("2022/08/25")]
    [InlineData("12:30")]
    [InlineData("2021-02-30")]
    [InlineData("2021-04-03 25:00")]
    [InlineData("Apr 3 2021")]
    [InlineData("1_000")]
    [InlineData("0x10")]
    [InlineData("inf")]
    [InlineData("1e999")]
    [InlineData("")]
    public void A_time_that_is_neither_number_nor_iso_date_is_refused_with_its_line(string text)
    {
        _folder.With("e.csv", $"user,item,timestamp\nu,a,5\nu,b,{text}\n");
        Assert.Contains($"e.csv, line 3: timestamp '{text}'; allowed: a finite number", Refusal(Options with { Interactions = _folder["e.csv"] }));
    }

    [Fact]
    public void Whole_numbers_beyond_a_doubles_precision_keep_their_order()
    {
        _folder.With("e.csv", "user,item,timestamp\nu,b,1600000000000000001\nu,a,1600000000000000000\n");
        using var dataset = Import(Options with { Interactions = _folder["e.csv"] });
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Fact]
    public void Cells_are_trimmed_where_the_header_has_blanks()
    {
        _folder.With("e.csv", "user, item, timestamp\nu1, a, 2\nu1, b, 1\n");
        using var dataset = Import(Options with { Interactions = _folder["e.csv"] });
        Assert.Equal(["a", "b"], dataset.ItemIds);
    }

    [Fact]
    public void Cells_with_blanks_are_refused_where_the_header_has_none_and_kept_in_quotes()
    {
        _folder.With("loose.csv", "user,item,timestamp\nu1,a,1\nu1, b,2\n").With("quoted.csv", "user,item,timestamp\nu1,\" b\",2\n");
        Assert.Contains("loose.csv, line 3: a cell begins or ends with a blank", Refusal(Options with { Interactions = _folder["loose.csv"] }));
        using var dataset = Import(Options with { Interactions = _folder["quoted.csv"] });
        Assert.Equal([" b"], dataset.ItemIds);
        Assert.Equal(["u1:  b"], Histories(dataset));
    }

    [Fact]
    public void Unknown_items_are_refused_with_their_number_or_dropped_and_counted()
    {
        _folder.With("i.csv", "id,name\na,\"Mug, large\"\nb,Jug\n")
            .With("e.csv", "user,item,timestamp\nu,a,1\nu,gone,2\nu,b,3\nv,gone,1\n" + string.Concat(Enumerable.Range(0, 30).Select(row => $"w,x{row},1\n")));
        string refusal = Refusal(Options with { Interactions = _folder["e.csv"], Items = _folder["i.csv"] });
        Assert.Contains("32 faults", refusal);
        Assert.Contains("e.csv, line 3: item 'gone' is not in the items file", refusal);
        using var dataset = Import(Options with { Interactions = _folder["e.csv"], Items = _folder["i.csv"], DropUnknown = true }, out var report);
        Assert.Equal((32L, 2L, 1), (report.UnknownDropped, report.Interactions, report.Users));
        Assert.Contains("32 interactions of items that are not in the items file were dropped", dataset.Description.Note);
        Assert.Equal(["u: a b"], Histories(dataset));
        Assert.Equal("Mug, large", dataset.Items[0].Title);
    }

    [Theory]
    [InlineData("sequences.txt", "u a gone b\nv gone\n")]
    [InlineData("interactions.csv", "user,item,timestamp\nu,a,1\nu,gone,2\nu,b,3\nv,gone,1\n")]
    public void A_dataset_with_a_delisted_item_opens_when_told_to_pass_over_it(string file, string text)
    {
        _folder.With("dataset.json", """{"name": "x", "format": 1}""").With("items.tsv", "id\na\nb\n").With(file, text)
            .With("embeddings/mine.ids.txt", "gone\na\n");
        Npy.Write(_folder["embeddings/mine.npy"], new float[] { 9, 9, 1, 2 }, 2);
        using (var strict = Dataset.Open(_folder.Path))
        {
            Assert.Contains("--drop-unknown", Assert.Throws<CatalogException>(() => strict.Sequences).Message);
            Assert.Contains("--drop-unknown", Assert.Throws<CatalogException>(() => strict.ReadEmbedding("mine")).Message);
        }

        using var dataset = Dataset.Open(_folder.Path, dropUnknown: true);
        Assert.Equal(2, dataset.UnknownDropped);
        Assert.Equal([0, 1], dataset.Sequences[0].ToArray());
        Assert.Equal([1, 2, 0, 0], dataset.ReadEmbedding("mine").Data);
        Assert.Equal([true, false], dataset.ReadEmbedding("mine").Present);
    }

    [Fact]
    public void An_id_column_of_floats_is_refused_before_1_0_and_1_are_two_items()
    {
        Write("e.parquet", "SELECT 'u' AS user, 1.0::DOUBLE AS item, 1 AS ts");
        Assert.Contains("column 'item' is of type DOUBLE; ids are texts or whole numbers", Refusal(Options with { Interactions = _folder["e.parquet"] }));
    }

    [Fact]
    public void Faulty_lines_of_a_table_are_listed_with_what_is_wrong()
    {
        _folder.With("e.csv", [.. "user,item,timestamp\nu,a\nu,b,1,2\nu,c\xE9,1\n".Select(letter => (byte)letter)]);
        string refusal = Refusal(Options with { Interactions = _folder["e.csv"] });
        Assert.Contains("e.csv, line 2: 2 columns; the header has 3", refusal);
        Assert.Contains("e.csv, line 3: 4 columns; the header has 3", refusal);
        Assert.Contains("e.csv, line 4: the bytes are no UTF-8", refusal);
    }

    [Fact]
    public void Json_lines_have_no_note_about_a_column_that_they_lack()
    {
        _folder.With("s.txt", "u a b\n").With("i.jsonl", "{\"item_id\": \"a\"}\n{\"item_id\": \"b\", \"idgenrec_text_id\": \"theirs\"}\n");
        using var dataset = Import(Options with { Sequences = _folder["s.txt"], Items = _folder["i.jsonl"] });
        Assert.Null(dataset.Description.Note);
    }

    private static ImportOptions Options => new([], "");

    private Dataset Import(ImportOptions options) => Import(options, out _);

    private Dataset Import(ImportOptions options, out ImportReport report)
    {
        report = DatasetImporter.Import(options with { Out = _folder["out"] });
        return Dataset.Open(_folder["out"]);
    }

    private string Refusal(ImportOptions options)
    {
        string message = Assert.Throws<CatalogException>(() => Import(options)).Message;
        Assert.False(Directory.Exists(_folder["out"]));
        return message;
    }

    private Dictionary<string, string> Named(string name, string file) => new() { [name] = _folder[file] };

    private void Write(string file, string sql) => Query($"COPY ({sql}) TO '{_folder[file]}' (FORMAT parquet)");

    private static List<string> Query(string sql)
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

    private static IEnumerable<string> Histories(Dataset dataset) => Enumerable.Range(0, dataset.Sequences.Count).Select(user =>
        $"{dataset.Sequences.Users[user]}: {string.Join(' ', dataset.Sequences[user].ToArray().Select(item => dataset.ItemIds[item]))}");

    // pyarrow and ParquetSharp call a list's leaf "item", DuckDB "element". Names stand in the footer alone, each behind its length;
    // the footer's own length stands before the last four bytes.
    private static byte[] WithLeafNamedItem(byte[] file)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(file.Length - 8)), start = file.Length - 8 - length;
        string footer = Encoding.Latin1.GetString(file, start, length), renamed = footer.Replace("\u0007element", "\u0004item");
        Assert.NotEqual(footer, renamed);
        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, renamed.Length);
        return [.. file[..start], .. Encoding.Latin1.GetBytes(renamed), .. size, .. "PAR1"u8];
    }

    public void Dispose() => _folder.Dispose();
}
