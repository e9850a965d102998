using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Service;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

[Collection(TinyModelCollection.Name)]
public sealed class CheckpointTests : IDisposable
{
    private readonly TinyModel _tiny;
    private readonly string _root = Directory.CreateTempSubdirectory("recsys-diffusion-").FullName;

    public CheckpointTests(TinyModel tiny)
    {
        _tiny = tiny;
        Directory.CreateDirectory(Part);
        tiny.Model.Save(Part);
    }

    private string Part => Path.Combine(_root, "creative");

    private string Card => Path.Combine(Part, ModelFiles.Config);

    private string Weights => Path.Combine(Part, ModelFiles.Weights);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_saved_model_draws_the_same_pixels()
    {
        using var loaded = CreativeModel.Load(Part);
        Assert.Equal(_tiny.Model.Draw(TinyModel.Ids, [3, 4], 5, 2), loaded.Draw(TinyModel.Ids, [3, 4], 5, 2));
        Assert.Equal(_tiny.Model.Training, loaded.Training);
        Assert.Equal(_tiny.Model.Recipe.Hash(), loaded.Recipe.Hash());
    }

    [Fact]
    public void Saving_twice_gives_the_same_bytes()
    {
        string other = Directory.CreateDirectory(Path.Combine(_root, "again")).FullName;
        _tiny.Model.Save(other);
        Assert.Equal(File.ReadAllBytes(Card), File.ReadAllBytes(Path.Combine(other, ModelFiles.Config)));
        Assert.Equal(File.ReadAllBytes(Weights), File.ReadAllBytes(Path.Combine(other, ModelFiles.Weights)));
    }

    [Theory]
    [InlineData("\"channels\": 8", "\"channels\": 16")] // the hash tells
    [InlineData("\"channels\": 8", "\"channels\": 8, \"colour\": 1")]
    [InlineData("\"format\": 2", "\"format\": 1")]
    [InlineData("\"image_size\": 8", "\"image_size\": 9")]
    [InlineData("\"path\": \"rectified-flow\"", "\"path\": \"spiral\"")]
    [InlineData("\"path\": \"rectified-flow\"", "\"path\": null")]
    [InlineData("{", "")]
    [InlineData("\"recipe\": {", "\"recipe\": null, \"x\": {")]
    public void A_card_that_was_altered_is_a_typed_error(string text, string replacement)
    {
        string card = File.ReadAllText(Card);
        Assert.Contains(text, card, StringComparison.Ordinal);
        File.WriteAllText(Card, card.Replace(text, replacement, StringComparison.Ordinal));
        AssertDamaged(makesNetwork: false);
    }

    [Fact]
    public void Weights_that_were_truncated_missing_or_another_models_are_a_typed_error()
    {
        byte[] whole = File.ReadAllBytes(Weights);
        foreach (int length in new[] { 0, 7, 100, whole.Length - 1 })
        {
            File.WriteAllBytes(Weights, whole[..length]);
            AssertDamaged(makesNetwork: false);
        }

        File.Delete(Weights);
        AssertDamaged(makesNetwork: false);

        var recipe = TinyModel.Options.Recipe;
        var wider = recipe with { Denoiser = recipe.Denoiser with { Channels = 16 } };
        var options = TinyModel.Options with { Recipe = wider, Steps = 1, WarmupSteps = 0 };
        using (var other = CreativeTrainer.Train(TinyModel.Data(), options, 1))
        {
            string elsewhere = Directory.CreateDirectory(Path.Combine(_root, "other")).FullName;
            other.Save(elsewhere);
            File.Copy(Path.Combine(elsewhere, ModelFiles.Weights), Weights);
        }

        AssertDamaged(makesNetwork: true);
    }

    [Fact]
    public void The_loader_gives_a_painter_null_without_one_and_an_error_for_another_codebook()
    {
        var loader = new PainterLoader();
        Assert.Equal("creative", loader.Name);
        Assert.Null(loader.Load(Folder("codebook/config.json"), Items(TinyModel.CodebookSizes)));
        using var painter = Assert.IsType<Painter>(loader.Load(Folder("creative/config.json"), Items(TinyModel.CodebookSizes)));
        Assert.Equal("v7", painter.Version);
        Assert.Equal(
            Fault.DataLoss, Assert.Throws<CatalogException>(() => loader.Load(Folder("creative/config.json"), Items([3, 3]))).Fault);
    }

    private static ItemTable Items(int[] sizes) => new(["a", "b"], TinyModel.Ids, ["", ""], sizes);

    private VersionFolder Folder(string file) => new(
        "v7",
        _root,
        new VersionManifest(
            "v7", DateTimeOffset.UnixEpoch, new VersionDescription("d", 1, TinyModel.CodebookSizes, 2, new Dictionary<string, double>()),
            new Dictionary<string, ManifestFile> { [file] = new(1, "") }),
        Items(TinyModel.CodebookSizes));

    private void AssertDamaged(bool makesNetwork)
    {
        long one = makesNetwork ? TinyModel.OvercountOfOne : 0, tensors = TinyModel.LiveTensors();
        var fault = Assert.Throws<CatalogException>(() => CreativeModel.Load(Part));
        Assert.Equal(Fault.DataLoss, fault.Fault);
        Assert.Contains("Rebuild", fault.Message, StringComparison.Ordinal);
        Assert.Equal(tensors + one, TinyModel.LiveTensors());
    }
}
