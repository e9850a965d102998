using System.IO.Compression;
using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

/// <summary>What a full device, a read-only one, or a file in a folder's place makes of an import: a typed error,
/// and nothing half-written.</summary>
public sealed class FullOrReadOnlyTests : IDisposable
{
    private const int NoSpace = 28; // errno, which HResult is

    private readonly TemporaryFolder _source = new();

    public void Dispose() => _source.Dispose();

    /// <summary>Pictures of 300 kB, items of 200, interactions of 500 and embeddings of 500, so that each of them
    /// meets the end of it.</summary>
    [MountFact]
    public void Wherever_a_device_gets_full_the_import_says_so_and_leaves_nothing()
    {
        WriteSource();
        int[] sizes = [4, 200, 400, 700, 1000, 1300, 1600, 2000];
        var refused = sizes.Where(kilobytes => Refuses(kilobytes) is not null).ToList();
        Assert.Equal([4, 200, 400, 700, 1000], refused.Take(5));
        Assert.Null(Refuses(20_000));

        Exception? Refuses(int kilobytes)
        {
            using var device = new MountedFolder(kilobytes);
            var error = Record.Exception(() => Import(device["shop"]));
            if (error is not null)
            {
                Assert.True(
                    error is IOException { HResult: NoSpace } or CatalogException { Fault: Fault.ResourceExhausted },
                    $"{kilobytes}: {error}");
                Assert.Contains("No space left on device", error.Message, StringComparison.Ordinal);
                Assert.Empty(Directory.GetFileSystemEntries(device.Path));
            }

            return error;
        }
    }

    [MountFact]
    public void A_read_only_dataset_is_read_and_imported_from_and_neither_replaced_nor_written_to()
    {
        WriteSource();
        using var device = new MountedFolder(20_000);
        Import(device["shop"]);
        device.MakeReadOnly();
        string hash = Hash(device["shop"]);
        DatasetImporter.Import(new ImportOptions([device["shop"]], _source["copy"]));
        Assert.Equal(hash, Hash(_source["copy"]));

        foreach (string target in new[] { device["shop"], device["other"] })
        {
            var error = Assert.Throws<IOException>(() => Import(target, force: true));
            Assert.Contains(device.Path, error.Message, StringComparison.Ordinal);
        }

        using (var dataset = Dataset.Open(device["shop"]))
        {
            Assert.Equal(1999, dataset.Sequences.Items.Max());
            Assert.Equal(300_000, dataset.Images!.Read(0)!.Length);
            Assert.Throws<IOException>(() => dataset.WriteEmbedding(dataset.ReadEmbedding("mine"), device["vectors"]));
        }

        Assert.Equal(hash, Hash(device["shop"]));
        Assert.Equal([device["shop"]], Directory.GetFileSystemEntries(device.Path));
    }

    [MountFact]
    public void An_embedding_that_does_not_fit_leaves_no_part_of_it()
    {
        _source.With("dataset.json", """{"name": "x", "format": 1}""").With("items.tsv", "id\na\nb\n");
        using var dataset = Dataset.Open(_source.Path);
        using var device = new MountedFolder(40);
        var error = Assert.Throws<IOException>(
            () => dataset.WriteEmbedding(new EmbeddingMatrix("big", 20_000, new float[40_000], [true, false]), device["vectors"]));
        Assert.Equal(NoSpace, error.HResult);
        Assert.Empty(Directory.GetFileSystemEntries(device["vectors"]));
    }

    [Theory]
    [InlineData("taken")]
    [InlineData("taken/shop")]
    [InlineData("taken/below/shop")]
    public void A_file_in_a_folders_place_is_named_and_kept(string target)
    {
        _source.With("taken", "precious").With("e.csv", "user,item,timestamp\nu,a,1\n");
        var error = Record.Exception(
            () => DatasetImporter.Import(new ImportOptions([], _source[target]) { Interactions = _source["e.csv"], Force = true }));
        Assert.True(error is IOException or CatalogException { Fault: Fault.FailedPrecondition }, error?.ToString());
        Assert.Contains(_source["taken"], error!.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_source["taken"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(_source.Path).Length);
    }

    private static string Hash(string folder)
    {
        using var dataset = Dataset.Open(folder);
        return dataset.Sha256;
    }

    private void Import(string target, bool force = false) => DatasetImporter.Import(new ImportOptions([], target)
    {
        Interactions = _source["e.csv"], Items = _source["i.tsv"], Images = _source["pictures.zip"], Force = force,
        Embeddings = new Dictionary<string, string> { ["mine"] = _source["mine.npy"] },
    });

    private void WriteSource()
    {
        const int Items = 2000, Rows = 25_000;
        var items = Enumerable.Range(0, Items).Select(item => $"i{item}\t{(item == 0 ? "a.png" : "")}\t{new string('x', 90)}\n");
        var rows = Enumerable.Range(0, Rows)
            .Select(row => $"u{row % 999},i{row % Items},{1_000_000_000 + (row * 7919L % 99_991)}\n");
        _source.With("i.tsv", "id\timage\ttext\n" + string.Concat(items))
            .With("e.csv", "user,item,timestamp\n" + string.Concat(rows));
        TestNpy.Write(_source["mine.npy"], new float[Items * 64], 64);
        byte[] picture = new byte[300_000];
        new Random(1).NextBytes(picture);
        using var zip = new ZipArchive(File.Create(_source["pictures.zip"]), ZipArchiveMode.Create);
        using var entry = zip.CreateEntry("a.png", CompressionLevel.NoCompression).Open();
        entry.Write(picture);
    }
}
