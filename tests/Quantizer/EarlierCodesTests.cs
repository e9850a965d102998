using Recsys.Catalog;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Tests;

namespace Recsys.Quantizer.Tests;

public sealed class EarlierCodesTests : IDisposable
{
    private const int Items = 1500, New = 150, Dim = 12;

    private static readonly QuantizerOptions Options = new() { Levels = 2, CodebookSize = 16 };

    private readonly TemporaryFolder _folder = new();
    private readonly EmbeddingMatrix _fitted = Unit(Blobs.Make("collaborative", Items, Dim, 40, 3), "fit 1");

    [Theory]
    [InlineData(QuantizerKind.ResidualKMeans)]
    [InlineData(QuantizerKind.OptimisedProduct)]
    [InlineData(QuantizerKind.RqVae)]
    [InlineData(QuantizerKind.FiniteScalar)]
    [InlineData(QuantizerKind.Hyperplanes)]
    public void Of_the_same_data_no_id_and_no_byte_of_the_codebook_moves(QuantizerKind kind)
    {
        var options = Options with
        {
            Kind = kind, MinPerplexity = 0, RqVae = new RqVaeOptions { Epochs = 4, Hidden = [16], LatentDim = 4 },
        };
        var earlier = Night(_fitted, options, out var ids);
        var codes = Follow(earlier, _fitted, options);
        using var codebook = codes.Codebook;
        Assert.Equal(ids, codes.Ids);
        Assert.Equal((false, 0.0), (codes.Origin.Trained, codes.Origin.Churn!.Renamed));
        codebook.Save(Directory.CreateDirectory(_folder["again"]).FullName);
        Assert.Equal(File.ReadAllBytes(_folder["v1/model.safetensors"]), File.ReadAllBytes(_folder["again/model.safetensors"]));
    }

    [Fact]
    public void In_another_basis_with_a_tenth_new_ids_stay_that_would_all_move()
    {
        var before = Rows(_fitted, Items - New, "fit 1");
        var earlier = Night(before, Options, out var ids);
        var turned = Turned(_fitted, "fit 2", noise: 0.015);
        var codes = Follow(earlier, turned, Options);
        using var codebook = codes.Codebook;
        Assert.False(codes.Origin.Trained);
        Assert.Equal((Items - New, New), (codes.Origin.Churn!.Kept, codes.Origin.Churn.New));
        Assert.InRange(codes.Origin.Churn.Renamed, 0, 0.05);

        // The same codebook asked for vectors that nobody turned.
        using var asked = Codebook.Load(_folder["v1"]);
        var plain = asked.EncodeCatalogue(asked.Fusion.Apply([turned])).Ids;
        Assert.True(Enumerable.Range(0, ids.Length).Count(item => !ids[item].SameCodes(plain[item])) > 0.8 * ids.Length);

        // What is saved turns them too, and says of which fit they must be.
        codebook.Save(Directory.CreateDirectory(_folder["v2"]).FullName);
        using var loaded = Codebook.Load(_folder["v2"]);
        Assert.Equal(codebook.Fusion.Apply([turned]).Data, loaded.Fusion.Apply([turned]).Data);
        Assert.Equal("fit 2", Assert.Single(loaded.Fusion.Parts).Space);
    }

    [Fact]
    public void What_an_owner_brings_is_turned_only_where_it_is_of_another_basis()
    {
        var earlier = Night(Rows(_fitted, Items, null), Options, out _);
        Assert.Null(earlier.Fuse([Rows(_fitted, Items, null)], Names(Items)).Parts[0].Rotation);
        Assert.NotNull(earlier.Fuse([Turned(_fitted, null, 0)], Names(Items)).Parts[0].Rotation);
    }

    [Fact]
    public void An_item_keeps_its_codes_within_the_slack_and_the_codebook_follows_its_items()
    {
        var earlier = Night(_fitted, Options, out _);
        var later = Turned(_fitted, "fit 2", noise: 0.15);
        double Moved(double keep, out double error)
        {
            var codes = Follow(earlier, later, Options with { Stability = new StabilityOptions { Keep = keep, MaxErrorGrowth = 10 } });
            using var codebook = codes.Codebook;
            error = codes.Origin.Error;
            AssertOfOnePiece(codes, earlier.Fuse([later], Names(Items)).Apply([later]));
            return codes.Origin.Churn!.Moved;
        }

        using var still = Codebook.Load(_folder["v1"]);
        var fused = earlier.Fuse([later], Names(Items)).Apply([later]);
        double before = still.EncodeCatalogue(fused).Report.ReconstructionError;
        double strict = Moved(0, out _), some = Moved(0.3, out double after), all = Moved(1000, out _);
        Assert.True(strict > some && some > all && all == 0, $"{strict} {some} {all}");
        Assert.True(after < before, $"{after} {before}");
    }

    [Theory]
    [InlineData(QuantizerKind.ResidualKMeans)]
    [InlineData(QuantizerKind.RqVae)]
    public void A_codebook_that_no_longer_fits_is_trained_anew_and_numbered_after_the_old_one(QuantizerKind kind)
    {
        // The same 16 groups of items, elsewhere; a codebook that had no error at all cannot do without training.
        var options = Options with { Kind = kind, Levels = 1, RqVae = new RqVaeOptions { Epochs = 30, Hidden = [16], LatentDim = 8 } };
        var earlier = Night(Unit(Blobs.Make("mine", Items, Dim, 16, 5, noise: 0.05), null), options, out var ids, error: 0);
        var elsewhere = Unit(Blobs.Make("mine", Items, Dim, 16, 6, noise: 0.05), null);
        var codes = Follow(earlier, elsewhere, options);
        using var codebook = codes.Codebook;
        Assert.True(codes.Origin.Trained);
        Assert.Contains("v1", codes.Origin.Note, StringComparison.Ordinal);
        Assert.InRange(codes.Origin.Churn!.Moved, 0, 0.2);
        Assert.Equal(codes.Origin.Error, codes.Origin.TrainedError);
        AssertOfOnePiece(codes, earlier.Fuse([elsewhere], Names(Items)).Apply([elsewhere]));

        var embedding = new[] { elsewhere };
        using var nothing = QuantizerTrainer.Train(Fusion.Fit(embedding, options.Fusion).Apply(embedding), options, 1, null, default);
        var fresh = nothing.EncodeCatalogue(nothing.Fusion.Apply(embedding)).Ids;
        Assert.True(Enumerable.Range(0, Items).Count(item => !ids[item].SameCodes(fresh[item])) > 0.5 * Items);
    }

    [Fact]
    public void Codes_of_other_kinds_sizes_and_embeddings_are_not_followed()
    {
        var earlier = Night(_fitted, Options, out _);
        string? Why(EmbeddingMatrix embedding, QuantizerOptions options) => earlier.Misfit([embedding], options);
        Assert.Null(Why(_fitted, Options));
        Assert.Contains("kind", Why(_fitted, Options with { Kind = QuantizerKind.Product }), StringComparison.Ordinal);
        Assert.Contains("16 × 16", Why(_fitted, Options with { Levels = 3 }), StringComparison.Ordinal);
        Assert.Contains("beam", Why(_fitted, Options with { Beam = 4 }), StringComparison.Ordinal);
        Assert.Contains("embeddings", Why(Blobs.Make("mine", Items, Dim, 40, 3), Options), StringComparison.Ordinal);
        var heavier = new FusionOptions { Weights = new Dictionary<string, double> { ["collaborative"] = 2 } };
        Assert.Contains("weighs", Why(_fitted, Options with { Fusion = heavier }), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>What was encoded is what the codebook encodes once it is saved, whatever moved on the way.</summary>
    private void AssertOfOnePiece(CatalogueCodes codes, FusedEmbeddings fused)
    {
        codes.Codebook.Save(Directory.CreateDirectory(_folder["saved"]).FullName);
        using var saved = Codebook.Load(_folder["saved"]);
        var (ids, report) = saved.EncodeCatalogue(fused);
        Assert.Equal(report.ReconstructionError, codes.Origin.Error, 1e-6);
        Assert.Equal(
            codes.Codebook.Encode(fused.Data, fused.Count), ids.SelectMany(id => id.Codes()));
    }

    /// <summary>The first night, from nothing, saved as v1.</summary>
    private EarlierCodes Night(EmbeddingMatrix embedding, QuantizerOptions options, out SemanticId[] ids, double? error = null)
    {
        var fused = Fusion.Fit([embedding], options.Fusion).Apply([embedding]);
        using var codebook = QuantizerTrainer.Train(fused, options, 1, null, default);
        (ids, var report) = codebook.EncodeCatalogue(fused);
        codebook.Save(Directory.CreateDirectory(_folder["v1"]).FullName);
        var table = new ItemTable(Names(ids.Length), ids, Names(ids.Length), codebook.Sizes);
        return new EarlierCodes(
            "v1", _folder["v1"], table,
            new CodebookOrigin(true, error ?? report.ReconstructionError, error ?? report.ReconstructionError));
    }

    private static CatalogueCodes Follow(EarlierCodes earlier, EmbeddingMatrix embedding, QuantizerOptions options)
    {
        var fused = earlier.Fuse([embedding], Names(embedding.Count)).Apply([embedding]);
        return earlier.Follow(
            fused, Names(embedding.Count), options.Stability, () => QuantizerTrainer.Train(fused, options, 1, null, default));
    }

    private static string[] Names(int items) => [.. Enumerable.Range(0, items).Select(item => $"i{item}")];

    private static EmbeddingMatrix Rows(EmbeddingMatrix embedding, int items, string? space) =>
        new(embedding.Name, Dim, embedding.Data[..(items * Dim)], embedding.Present[..items]) { Space = space };

    private static EmbeddingMatrix Unit(EmbeddingMatrix embedding, string? space)
    {
        using var scope = NewDisposeScope();
        return new(
            embedding.Name, Dim, functional.normalize(tensor(embedding.Data, [embedding.Count, Dim]), 2, 1).data<float>().ToArray(),
            embedding.Present)
        {
            Space = space,
        };
    }

    /// <summary>The vectors in a random basis, each moved a little.</summary>
    private static EmbeddingMatrix Turned(EmbeddingMatrix embedding, string? space, double noise)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        var basis = linalg.qr(randn([Dim, Dim], generator: generator)).Q;
        var rows = tensor(embedding.Data, [embedding.Count, Dim]).matmul(basis);
        rows = rows + (randn(rows.shape, generator: generator) * noise);
        var turned = new EmbeddingMatrix(embedding.Name, Dim, rows.contiguous().data<float>().ToArray(), embedding.Present);
        return Unit(turned, space);
    }
}
