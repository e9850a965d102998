using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Tests;

public sealed class CodebookFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Codebook _codebook;

    public CodebookFilesTests()
    {
        _codebook = QuantizerTrainer.Train(
            Blobs.Fused(40, 4, 8, 1), new QuantizerOptions { Levels = 2, CodebookSize = 8 }, 1, null, default);
        _codebook.Save(_folder["v/codebook"]);
    }

    public void Dispose()
    {
        _codebook.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    public void Missing_truncated_and_altered_files_are_data_loss(string name)
    {
        string path = _folder["v/codebook/" + name];
        var bytes = File.ReadAllBytes(path);
        foreach (var broken in new[] { bytes[..(bytes.Length / 2)], [], [.. bytes.Reverse()] })
        {
            File.WriteAllBytes(path, broken);
            Assert.Equal(Fault.DataLoss, Assert.Throws<CatalogException>(() => Codebook.Load(_folder["v/codebook"])).Fault);
        }

        File.Delete(path);
        var missing = Assert.Throws<CatalogException>(() => Codebook.Load(_folder["v/codebook"]));
        Assert.Contains(name, missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"keep_length\"", "\"keepLength\"")]
    [InlineData("\"format\": 2", "\"format\": 1")]
    [InlineData("\"kind\": \"residual-kmeans\"", "\"kind\": \"rqvae\"")]
    [InlineData("\"kind\": \"residual-kmeans\"", "\"kind\": \"pq\"")]
    [InlineData("\"kind\": \"residual-kmeans\"", "\"kind\": \"k-means\"")]
    [InlineData("\"kind\": \"residual-kmeans\"", "\"kind\": \"fsq\"")]
    [InlineData("\"sizes\": [", "\"beam\": 65, \"sizes\": [")]
    [InlineData("\"sizes\": [", "\"sizes\": [0, ")]
    [InlineData("\"sizes\": [", "\"sizes\": null, \"other\": [")]
    [InlineData("\"dim\": 4", "\"dim\": 0")]
    [InlineData("\"dim\": 4", "\"dim\": 5")]
    public void A_configuration_that_was_altered_is_data_loss(string text, string replacement)
    {
        string path = _folder["v/codebook/config.json"], json = File.ReadAllText(path);
        Assert.Contains(text, json, StringComparison.Ordinal);
        File.WriteAllText(path, json.Replace(text, replacement, StringComparison.Ordinal));
        Assert.Equal(Fault.DataLoss, Assert.Throws<CatalogException>(() => Codebook.Load(_folder["v/codebook"])).Fault);
    }

    [Fact]
    public void Files_of_two_different_codebooks_do_not_load_together()
    {
        using var other = QuantizerTrainer.Train(
            Blobs.Fused(40, 4, 8, 1), new QuantizerOptions { Levels = 2, CodebookSize = 9 }, 1, null, default);
        other.Save(_folder["other"]);
        File.Copy(_folder["other/config.json"], _folder["v/codebook/config.json"], overwrite: true);
        Assert.Equal(Fault.DataLoss, Assert.Throws<CatalogException>(() => Codebook.Load(_folder["v/codebook"])).Fault);
    }

    [Fact]
    public void The_loader_finds_the_part_checks_it_against_the_table_and_passes_over_versions_without_it()
    {
        var loader = new CodebookLoader();
        Assert.Equal("codebook", loader.Name);
        var table = new ItemTable(["a"], [new SemanticId([1, 2])], [""], [8, 8]);
        using (var part = (Codebook)loader.Load(Folder(table, "codebook/config.json"), table)!)
        {
            Assert.Same(part, part.WithItems(table));
        }

        Assert.Null(loader.Load(Folder(table), table));
        var wrong = new ItemTable(["a"], [new SemanticId([1, 2])], [""], [8, 9]);
        Assert.Equal(
            Fault.DataLoss, Assert.Throws<CatalogException>(() => loader.Load(Folder(wrong, "codebook/config.json"), wrong)).Fault);
    }

    [Fact]
    public void Arrays_of_wrong_length_and_codes_out_of_range_are_refused()
    {
        Assert.Throws<CatalogException>(() => _codebook.Encode(new float[5], 1));
        Assert.Throws<CatalogException>(() => _codebook.Reconstruct([1], 1));
        Assert.Throws<CatalogException>(() => _codebook.Reconstruct([1, 8], 1));
        Assert.Empty(_codebook.Encode([], 0));
        Assert.Empty(_codebook.Reconstruct([], 0));
    }

    private VersionFolder Folder(ItemTable items, params string[] files) =>
        new(
            "v", _folder["v"],
            new VersionManifest(
                "v", DateTimeOffset.UnixEpoch, new VersionDescription("d", 1, [8, 8], 1, new Dictionary<string, double>()),
                files.ToDictionary(f => f, _ => new ManifestFile(1, ""))),
            items);
}
