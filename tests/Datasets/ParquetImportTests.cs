using System.Buffers.Binary;
using System.Text;

namespace Recsys.Datasets.Tests;

/// <summary>Interactions, items and vectors of Parquet files, as DuckDB and as pyarrow write them.</summary>
public sealed class ParquetImportTests : TableImport
{
    [Fact]
    public void Parquet_interactions_items_and_vectors_make_a_dataset()
    {
        Write(
            "e.parquet",
            "SELECT 7 AS user_id, 'b' AS item_id, TIMESTAMP '2020-01-02' AS event_time UNION ALL SELECT 7, 'a', TIMESTAMP '2020-01-01'");
        Write(
            "i.parquet",
            "SELECT 'a' AS item_id, 'Mug' AS name, ['x', 'y'] AS tags, 1.50::DECIMAL(9,2) AS price "
            + "UNION ALL SELECT 'b', 'Jug', NULL, NULL");
        Write("v.parquet", "SELECT 'b' AS item_id, [3, 4]::FLOAT[] AS vec UNION ALL SELECT 'a', [1, 2]::FLOAT[]");
        using var dataset = Import(Options with
        {
            Interactions = Folder["e.parquet"], Items = Folder["i.parquet"], Embeddings = Named("mine", "v.parquet"),
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
        File.WriteAllBytes(Folder["pyarrow.parquet"], WithLeafNamedItem(File.ReadAllBytes(Folder["v.parquet"])));
        Assert.Equal(
            [type[..type.IndexOf('[')]], Query($"SELECT type FROM parquet_schema('{Folder["pyarrow.parquet"]}') WHERE name = 'item'"));
        using var dataset = Import(Options with
        {
            Items = Folder["i.parquet"],
            Embeddings = new Dictionary<string, string> { ["element"] = Folder["v.parquet"], ["item"] = Folder["pyarrow.parquet"] },
        });
        foreach (string name in new[] { "element", "item" })
        {
            var read = dataset.ReadEmbedding(name);
            Assert.Equal([1, -2, 0, 0, 5, 6.5f], read.Data);
            Assert.Equal([true, false, true], read.Present);
        }
    }

    // The type of numpy's float16, as pyarrow writes it; DuckDB reads it, but has no such type of its own to write.
    [Fact]
    public void Vectors_of_half_precision_are_read_as_the_numbers_that_they_are()
    {
        Folder.With("i.tsv", "id\na\nb\n");
        Write("uuid.parquet", $"SELECT 'b' AS item_id, ['003c00c0-0038-003e-0000-000000000000', '{Guid.Empty}']::UUID[] AS embedding "
            + $"UNION ALL SELECT 'a', ['{Guid.Empty}', '{Guid.Empty}']::UUID[]", "COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1");
        File.WriteAllBytes(Folder["half.parquet"], WithHalvesInPlaceOfUuids(File.ReadAllBytes(Folder["uuid.parquet"])));
        Assert.Equal(
            ["Float16Type()"], Query($"SELECT logical_type FROM parquet_schema('{Folder["half.parquet"]}') WHERE name = 'element'"));
        using var dataset = Import(Options with { Items = Folder["i.tsv"], Embeddings = Named("half", "half.parquet") });
        Assert.Equal([0.5f, 1.5f, 1, -2], dataset.ReadEmbedding("half").Data);
    }

    // With a zone (isAdjustedToUTC) and without, in each unit that writers take.
    [Theory]
    [InlineData("TIMESTAMPTZ", "2021-04-03 12:00:00.25+02:00", 1617444000250000)]
    [InlineData("TIMESTAMP", "2021-04-03 10:00:00.25", 1617444000250000)]
    [InlineData("TIMESTAMP_MS", "2021-04-03 10:00:00.25", 1617444000250000)]
    [InlineData("TIMESTAMP_NS", "2021-04-03 10:00:00.25", 1617444000250000)]
    [InlineData("TIMESTAMP_S", "2021-04-03 10:00:00", 1617444000000000)]
    [InlineData("DATE", "2021-04-03", 1617408000000000)]
    public void A_column_of_moments_is_taken_as_it_is(string type, string moment, long microseconds)
    {
        Write(
            "e.parquet",
            $"SELECT 'u' AS user, 'late' AS item, '{moment}'::{type} AS ts UNION ALL SELECT 'u', 'early', '2020-01-01'::{type}");
        using var dataset = Import(Options with { Interactions = Folder["e.parquet"] });
        Assert.Equal(["u: early late"], Histories(dataset));
        Assert.Equal($"u,late,{microseconds}", File.ReadLines(Folder["out/interactions.csv"]).Last());
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
        Folder.With("i.tsv", "id\na\nb\n");
        Write("v.parquet", rows);
        Assert.Contains(fault, Refusal(Options with { Items = Folder["i.tsv"], Embeddings = Named("v", "v.parquet") }));
    }

    [Fact]
    public void An_id_column_of_floats_is_refused_before_1_0_and_1_are_two_items()
    {
        Write("e.parquet", "SELECT 'u' AS user, 1.0::DOUBLE AS item, 1 AS ts");
        Assert.Contains(
            "column 'item' is of type DOUBLE; ids are texts or whole numbers",
            Refusal(Options with { Interactions = Folder["e.parquet"] }));
    }

    // pyarrow and ParquetSharp call a list's leaf "item", DuckDB "element"; each name stands behind its length.
    private static byte[] WithLeafNamedItem(byte[] file) => WithFooter(file, ("\u0007element", "\u0004item"));

    // Fixed-length bytes of length 2, not 16 (as zigzag varints), their logical type number 15, not 14, and the bounds of 16 bytes made
    // a field that no reader knows. The first UUID's bytes are then the first page's eight halves.
    private static byte[] WithHalvesInPlaceOfUuids(byte[] file) =>
        WithFooter(
            file, ("\u000e\u0015\u0020", "\u000e\u0015\u0004"), ("elementl\u00ec", "elementl\u00fc"),
            ("<\u0018\u0010", "\u00fc\u0018\u0010"));

    // Names and types stand in the footer alone; its length stands before the last four bytes.
    private static byte[] WithFooter(byte[] file, params (string Old, string New)[] changes)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(file.Length - 8)), start = file.Length - 8 - length;
        string footer = Encoding.Latin1.GetString(file, start, length);
        foreach (var (old, changed) in changes)
        {
            Assert.Contains(old, footer, StringComparison.Ordinal);
            footer = footer.Replace(old, changed, StringComparison.Ordinal);
        }

        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, footer.Length);
        return [.. file[..start], .. Encoding.Latin1.GetBytes(footer), .. size, .. "PAR1"u8];
    }
}
