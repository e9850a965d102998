using Recsys.Catalog;
using Recsys.Faiss;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;
using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Tests;

public class QuantizerTrainerTests
{
    private static readonly QuantizerOptions KMeans = new() { Kind = QuantizerKind.ResidualKMeans, Levels = 2, CodebookSize = 16 };

    private static readonly QuantizerOptions RqVae = KMeans with
    {
        Kind = QuantizerKind.RqVae,
        RqVae = new RqVaeOptions { Hidden = [32], LatentDim = 8, Epochs = 40, WarmUpEpochs = 5, BatchSize = 128 },
    };

    public static TheoryData<QuantizerKind> Kinds => [.. Enum.GetValues<QuantizerKind>()];

    /// <summary>Those with codebooks of vectors.</summary>
    public static TheoryData<QuantizerKind> VectorKinds =>
    [
        QuantizerKind.ResidualKMeans, QuantizerKind.RqVae, QuantizerKind.VqVae, QuantizerKind.Product, QuantizerKind.OptimisedProduct,
    ];

    [Fact]
    public void Separated_points_are_all_found_and_reconstructed_exactly()
    {
        var fused = Blobs.Fused(160, 6, 16, 1, noise: 0);
        using var codebook = Train(fused, KMeans with { Levels = 1 });
        var (_, report) = codebook.EncodeCatalogue(fused);
        Assert.True(report.ReconstructionError < 1e-8);
        Assert.Equal((16, 16), (report.Levels[0].Used, report.DistinctCodes));
        Assert.Equal(10, report.LargestGroup);
    }

    [Fact]
    public void First_codes_of_separated_latents_have_no_error_and_all_are_used()
    {
        using var scope = NewDisposeScope();
        using var model = new RqVae(4, [], 3, [8]);
        var x = tensor(Blobs.Make("x", 80, 4, 8, 3, noise: 0).Data, [80, 4]);
        using (no_grad())
        {
            model.get_parameter("encoder.linear0.weight")!.copy_(tensor(new float[] { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 }, [3, 4]));
        }

        new CodebookFollower(model.Codebooks, KMeans with { CodebookSize = 8 }, new Random(1)).Start(model, x, 1, default);
        var codes = model.Codebooks.Encode(model.Latent(x).detach());
        Assert.Equal(0, (model.Codebooks.Decode(codes) - model.Latent(x)).pow(2).sum().ToDouble(), 6);
        Assert.Equal(8, codes.data<long>().ToArray().Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(VectorKinds))]
    public void Codes_describe_the_catalogue_and_use_the_codebooks(QuantizerKind kind)
    {
        var fused = Blobs.Fused(1500, 12, 40, 2);
        using var codebook = Train(fused, Options(kind));
        var (ids, report) = codebook.EncodeCatalogue(fused);
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.True(report.ReconstructionError < 0.7, $"error {report.ReconstructionError}");
        Assert.All(report.Levels, level => Assert.True(level.Usage > 0.9, $"usage {level.Usage}"));
        Assert.True(report.DistinctCodes >= 40, $"distinct {report.DistinctCodes}");
    }

    [Fact]
    public void Balancing_spreads_the_codes_and_parts_more_items()
    {
        var fused = Blobs.Fused(2000, 24, 50, 4, noise: 0.5);
        using var plain = Train(fused, KMeans with { BalanceStrength = 0 });
        using var balanced = Train(fused, KMeans);
        var (before, after) = (plain.EncodeCatalogue(fused).Report, balanced.EncodeCatalogue(fused).Report);
        Assert.True(after.Levels[1].Perplexity > before.Levels[1].Perplexity);
        Assert.True(after.Levels[1].Perplexity > 14);
        Assert.True(after.DistinctCodes >= before.DistinctCodes);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Same_seed_gives_the_same_bytes_and_loading_gives_the_same_codes(QuantizerKind kind)
    {
        var fused = Blobs.Fused(400, 8, 20, 5);
        using var folders = new TemporaryFolder();
        var options = Options(kind) with { RqVae = RqVae.RqVae with { Epochs = 6, WarmUpEpochs = 2 } };
        using var one = Train(fused, options);
        one.Save(folders["one"]);
        using (var two = Train(fused, options))
        {
            two.Save(folders["two"]);
        }

        foreach (string file in new[] { "config.json", "model.safetensors" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folders["one"], file)), File.ReadAllBytes(Path.Combine(folders["two"], file)));
        }

        using var loaded = Codebook.Load(folders["one"]);
        var codes = one.Encode(fused.Data, fused.Count);
        Assert.Equal(codes, loaded.Encode(fused.Data, fused.Count));
        Assert.Equal(one.Reconstruct(codes, fused.Count), loaded.Reconstruct(codes, fused.Count));
        Assert.Equal(
            one.Fusion.Fuse("x", FusionTests.Named(("text", new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }))),
            loaded.Fusion.Fuse("x", FusionTests.Named(("text", new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_catalogue_smaller_than_the_codebook_gets_as_many_codes_as_items_or_the_next_power_of_two_below(QuantizerKind kind)
    {
        var fused = Blobs.Fused(7, 4, 7, 6);
        using var codebook = Train(fused, Options(kind));
        Assert.Equal(kind.HasBits() ? [4, 4] : [7, 7], codebook.Sizes);
        Assert.Equal(7, codebook.EncodeCatalogue(fused).Ids.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Equal_items_share_codes_and_differ_in_the_collision_token(QuantizerKind kind)
    {
        var matrix = Blobs.Make("text", 300, 6, 30, 7);
        matrix.Row(10).CopyTo(matrix.Data.AsSpan(200 * 6));
        var fused = Blobs.Fuse(matrix);
        using var codebook = Train(fused, Options(kind) with { RqVae = RqVae.RqVae with { Epochs = 5, WarmUpEpochs = 1 } });
        var ids = codebook.EncodeCatalogue(fused).Ids;
        Assert.True(ids[10].SameCodes(ids[200]));
        Assert.True(ids[10].Collision < ids[200].Collision);
    }

    /// <summary>k-means then gives one centroid several times; with one point for all, and so no residual at all,
    /// nothing but one.</summary>
    [Theory]
    [InlineData(QuantizerKind.ResidualKMeans, 1)]
    [InlineData(QuantizerKind.ResidualKMeans, 3)]
    [InlineData(QuantizerKind.ResidualKMeans, 15)]
    [InlineData(QuantizerKind.RqVae, 1)]
    public void Fewer_points_than_codes_have_one_tuple_of_codes_each(QuantizerKind kind, int points)
    {
        var random = new Random(points);
        float[] Point() => [.. Enumerable.Range(0, 24).Select(_ => random.NextSingle() - .5f)];
        float[][] rows = [.. Enumerable.Range(0, points).Select(_ => Point())];
        float[] data = [.. Enumerable.Range(0, 1200).SelectMany(item => rows[item % points])];
        var fused = Blobs.Fuse(new EmbeddingMatrix("text", 24, data, [.. Enumerable.Repeat(true, 1200)]));
        using var codebook = Train(fused, Options(kind) with { RqVae = RqVae.RqVae with { Epochs = 5, WarmUpEpochs = 1 } });
        var (ids, report) = codebook.EncodeCatalogue(fused);
        Assert.Equal((points, 1200 / points, 1200), (report.DistinctCodes, report.LargestGroup, ids.Distinct().Count()));
        Assert.All(Enumerable.Range(0, 1200), item => Assert.True(ids[item].SameCodes(ids[item % points])));
        Assert.All(codebook.Reconstruct(codebook.Encode(fused.Data, 1200), 1200), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Items_without_any_embedding_are_encoded_as_the_middle_of_the_catalogue()
    {
        var matrix = Blobs.Make("text", 100, 6, 10, 8);
        matrix.Present[99] = false;
        matrix.Data.AsSpan(99 * 6).Clear();
        var fused = Blobs.Fuse(matrix);
        Assert.False(fused.Present[99]);
        using var codebook = Train(fused, KMeans);
        Assert.Equal(100, codebook.EncodeCatalogue(fused).Ids.Length);
    }

    [Theory]
    [InlineData("residual-kmeans", QuantizerKind.ResidualKMeans)]
    [InlineData("rqvae", QuantizerKind.RqVae)]
    [InlineData("vqvae", QuantizerKind.VqVae)]
    [InlineData("pq", QuantizerKind.Product)]
    [InlineData("opq", QuantizerKind.OptimisedProduct)]
    [InlineData("fsq", QuantizerKind.FiniteScalar)]
    [InlineData("lfq", QuantizerKind.LookupFree)]
    [InlineData("lsh", QuantizerKind.Hyperplanes)]
    [InlineData("random", QuantizerKind.Random)]
    public void Kinds_have_one_name_in_configuration_and_in_files(string name, QuantizerKind kind)
    {
        Assert.Equal(kind, System.Text.Json.JsonSerializer.Deserialize<QuantizerKind>($"\"{name}\""));
        Assert.Equal($"\"{name}\"", System.Text.Json.JsonSerializer.Serialize(kind));
        Assert.Throws<System.Text.Json.JsonException>(() => System.Text.Json.JsonSerializer.Deserialize<QuantizerKind>("\"k-means\""));
    }

    [Fact]
    public void Every_fault_of_the_options_is_named_at_once()
    {
        var options = new QuantizerOptions
        {
            Levels = 9, CodebookSize = 1, BalanceStrength = double.NaN, RqVae = new RqVaeOptions { LearningRate = 0, Hidden = [0] },
        };
        var error = Assert.Throws<CatalogException>(() => Train(Blobs.Fused(10, 2, 2, 1), options));
        string[] faults =
        [
            "quantizer.levels is 9", "quantizer.codebook_size is 1", "quantizer.balance_strength is NaN",
            "quantizer.rq_vae.learning_rate is 0", "quantizer.rq_vae.hidden[0] is 0",
        ];
        Assert.All(faults, text => Assert.Contains(text, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Values_that_are_not_finite_and_single_items_are_refused()
    {
        var fused = Blobs.Fused(10, 2, 2, 1);
        fused.Data[5] = float.PositiveInfinity;
        Assert.Contains("item 2", Assert.Throws<CatalogException>(() => Train(fused, KMeans)).Message, StringComparison.Ordinal);
        Assert.Throws<CatalogException>(() => Train(Blobs.Fused(1, 2, 1, 1), KMeans));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Cancelling_ends_the_training(QuantizerKind kind)
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(
            () => QuantizerTrainer.Train(Blobs.Fused(50, 4, 5, 1), Options(kind), 1, null, cancel.Token));
    }

    [Fact]
    public void Progress_goes_to_the_end_and_the_reconstruction_loss_falls()
    {
        var reports = new List<StageProgress>();
        using var codebook = QuantizerTrainer.Train(Blobs.Fused(600, 8, 20, 9), RqVae, 1, new Recorder(reports), default);
        Assert.Equal(reports[^1].Total, reports[^1].Done);
        Assert.True(reports[^1].Metrics!["reconstruction"] < 0.5 * reports[0].Metrics!["reconstruction"]);
    }

    private static QuantizerOptions Options(QuantizerKind kind) => RqVae with { Kind = kind };

    private static Codebook Train(FusedEmbeddings fused, QuantizerOptions options) =>
        QuantizerTrainer.Train(fused, options, 1, null, default);

    private sealed class Recorder(List<StageProgress> reports) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => reports.Add(value);
    }
}
