using System.Text;
using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

public sealed class NpyTests
{
    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 1)]
    [InlineData(1000, 17)]
    public void What_is_written_is_read_back_bit_by_bit(int rows, int dim)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(rows);
        var data = Enumerable.Range(0, rows * dim).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        TestNpy.Write(folder["x.npy"], data, dim);
        var (read, readRows, readDim) = Read(folder["x.npy"]);
        Assert.Equal((rows, dim), (readRows, readDim));
        Assert.Equal(data, read);
        Assert.Equal(["x.npy"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_file_has_the_very_bytes_that_numpy_writes()
    {
        using var folder = new TemporaryFolder();
        TestNpy.Write(folder["x.npy"], new[] { 1f, 2f, 3f, 4f, 5f, 6f }, 3);
        const string numpy = "934E554D5059010076007B276465736372273A20273C6634272C2027666F727472616E5F6F72646572273A"
            + "2046616C73652C20277368617065273A2028322C2033292C207D";
        byte[] bytes = File.ReadAllBytes(folder["x.npy"]);
        Assert.Equal(numpy, Convert.ToHexString(bytes[..(numpy.Length / 2)]));
        Assert.Equal(128 + 24, bytes.Length);
        Assert.Equal((byte)'\n', bytes[127]);
    }

    [Theory]
    [InlineData("<f8", 1)]
    [InlineData("<f4", 2)]
    [InlineData("<f2", 3)]
    public void Every_float_width_and_header_version_gives_the_same_numbers(string type, int version)
    {
        using var folder = new TemporaryFolder();
        float[] values = [0, 1, -2.5f, 0.125f, 1024, -0.0625f];
        byte[] body = [.. values.SelectMany(value => type switch
        {
            "<f8" => BitConverter.GetBytes((double)value),
            "<f4" => BitConverter.GetBytes(value),
            _ => BitConverter.GetBytes((Half)value),
        })];
        folder.With("x.npy", NpyFile(type, "False", "(3, 2)", body, version));
        using var reader = NpyReader.Open(folder["x.npy"]);
        Assert.Equal(values.Chunk(2), reader.ReadRows().Select(row => row.ToArray()));
        Assert.Equal(values, reader.ReadRows().SelectMany(row => row.ToArray())); // again, from the start
    }

    [Theory]
    [InlineData("<i4", "False", "(2, 2)", 16, "descr is '<i4'")]
    [InlineData(">f4", "False", "(2, 2)", 16, "descr is '>f4'")]
    [InlineData("<f4", "True", "(2, 2)", 16, "fortran_order is True")]
    [InlineData("<f4", "False", "(4,)", 16, "shape is (4,)")]
    [InlineData("<f4", "False", "(2, 0)", 0, "shape is (2, 0)")]
    [InlineData("<f4", "False", "(2, 2)", 12, "truncated")]
    [InlineData("<f4", "False", "(2, 2)", 20, "followed by something else")]
    [InlineData("<f4", "False", "(2000000000, 1000000)", 20, "truncated")]
    public void A_file_that_is_not_what_its_header_says_is_refused(string type, string fortran, string shape, int bodyLength, string fault)
    {
        using var folder = new TemporaryFolder().With("x.npy", NpyFile(type, fortran, shape, new byte[bodyLength], 1));
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => Read(folder["x.npy"])).Message);
    }

    [Fact]
    public void No_damage_to_the_header_gives_anything_but_a_typed_error_or_the_same_shape()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = NpyFile("<f4", "False", "(2, 2)", new byte[16], 1);
        for (int at = 0; at < whole.Length - 16; at++)
        {
            foreach (byte flip in new byte[] { 0x01, 0x80, 0xFF })
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= flip;
                folder.With("x.npy", damaged);
                try
                {
                    Assert.Equal(4, Read(folder["x.npy"]).Data.Length);
                }
                catch (CatalogException)
                {
                    // Found.
                }
            }
        }
    }

    [Fact]
    public void An_embedding_with_an_ids_file_puts_each_row_at_its_item()
    {
        using var folder = new TemporaryFolder()
            .With("dataset.json", """{"name": "t", "format": 1}""").With("items.tsv", "id\na\nb\nc\n")
            .With("embeddings/text.ids.txt", "c\na\n");
        TestNpy.Write(folder["embeddings/text.npy"], new[] { 1f, 2f, 3f, 4f }, 2);
        using var dataset = Dataset.Open(folder.Path);
        var text = dataset.ReadEmbedding("text");
        Assert.Equal([3f, 4f, 0f, 0f, 1f, 2f], text.Data);
        Assert.Equal([true, false, true], text.Present);
        Assert.Contains("it has: text", Assert.Throws<CatalogException>(() => dataset.ReadEmbedding("image")).Message);
    }

    [Fact]
    public void An_embedding_written_with_gaps_is_read_back_with_the_same_gaps()
    {
        using var folder = new TemporaryFolder().With("dataset.json", """{"name": "t", "format": 1}""").With("items.tsv", "id\na\nb\nc\n");
        using var dataset = Dataset.Open(folder.Path);
        foreach (bool[] present in new bool[][] { [true, false, true], [true, true, true], [false, false, true] })
        {
            var written = new EmbeddingMatrix("x", 1, [present[0] ? 1 : 0, present[1] ? 2 : 0, present[2] ? 3 : 0], present);
            dataset.WriteEmbedding(written, System.IO.Path.Combine(dataset.Path, "embeddings"));
            var read = dataset.ReadEmbedding("x");
            Assert.Equal(written.Data, read.Data);
            Assert.Equal(written.Present, read.Present);
        }
    }

    [Fact]
    public void Rows_that_fit_no_items_are_refused()
    {
        using var folder = new TemporaryFolder().With("dataset.json", """{"name": "t", "format": 1}""").With("items.tsv", "id\na\nb\nc\n");
        Directory.CreateDirectory(folder["embeddings"]);
        TestNpy.Write(folder["embeddings/text.npy"], new float[4], 2);
        using var dataset = Dataset.Open(folder.Path);
        Assert.Contains("2 rows; the dataset has 3 items", Assert.Throws<CatalogException>(() => dataset.ReadEmbedding("text")).Message);
        folder.With("embeddings/text.ids.txt", "a\na\nzebra\n");
        string message = Assert.Throws<CatalogException>(() => dataset.ReadEmbedding("text")).Message;
        Assert.Contains("line 2: item 'a' has a row before", message);
        Assert.Contains("line 3: item 'zebra'", message);
        Assert.Contains("3 ids, but the .npy has 2 rows", message);
    }

    private static (float[] Data, int Rows, int Dim) Read(string path)
    {
        using var reader = NpyReader.Open(path);
        return ([.. reader.ReadRows().SelectMany(row => row.ToArray())], reader.Rows, reader.Dim);
    }

    private static byte[] NpyFile(string type, string fortran, string shape, byte[] body, int version)
    {
        byte[] text = Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes((uint)text.Length);
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. body];
    }
}
