using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

public class QuantizerSizesTests
{
    private static readonly QuantizerOptions Options = new()
    {
        CodebookSizes = [16, 8, 4],
        RqVae = new RqVaeOptions { Hidden = [16], LatentDim = 8, Epochs = 4, WarmUpEpochs = 1, BatchSize = 128 },
        MinPerplexity = 0,
    };

    public static TheoryData<QuantizerKind> Kinds => [.. Enum.GetValues<QuantizerKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_level_has_its_own_size_and_the_table_of_items_takes_its_codes(QuantizerKind kind)
    {
        var fused = Blobs.Fused(300, 9, 30, 3);
        using var codebook = QuantizerTrainer.Train(fused, Options with { Kind = kind }, 1, null, default);
        Assert.Equal([16, 8, 4], codebook.Sizes);
        Assert.Equal(kind, codebook.Kind);
        var (ids, report) = codebook.EncodeCatalogue(fused);
        // The table refuses codes out of range.
        var items = new ItemTable([.. ids.Select((_, i) => $"i{i}")], ids, [.. ids.Select(_ => "")], codebook.Sizes);
        Assert.Equal(300, items.Count);
        Assert.Equal([16, 8, 4], report.Levels.Select(level => level.Size));
        Assert.All(ids, id => Assert.True(items.TryIndex(id, out _)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_item_may_have_eight_levels(QuantizerKind kind)
    {
        var fused = Blobs.Fused(200, 9, 30, 4);
        var options = Options with { Kind = kind, CodebookSizes = null, CodebookSize = 4, Levels = 8 };
        using var folder = new Recsys.Tests.TemporaryFolder();
        using var codebook = QuantizerTrainer.Train(fused, options, 1, null, default);
        codebook.Save(folder["c"]);
        using var loaded = Codebook.Load(folder["c"]);
        Assert.Equal(8, loaded.Levels);
        Assert.Equal(codebook.EncodeCatalogue(fused).Ids, loaded.EncodeCatalogue(fused).Ids);
    }

    [Fact]
    public void Wrong_sizes_and_settings_are_all_named_at_once()
    {
        var options = new QuantizerOptions
        {
            Kind = QuantizerKind.Hyperplanes, CodebookSizes = [16, 1, 24], Beam = 5, MinPerplexity = 2,
            Opq = new OpqOptions { Iterations = -1 },
            Fsq = new FsqOptions { Values = [[8, 1]] }, Lfq = new LfqOptions { EntropyWeight = -1 },
        };
        string message = Assert.Throws<CatalogException>(options.Validate).Message;
        string[] faults =
        [
            "quantizer.codebook_sizes[1] is 1", "powers of two", "quantizer.beam is 5", "quantizer.min_perplexity is 2",
            "quantizer.opq.iterations is -1", "quantizer.fsq.values is [8, 1]", "quantizer.lfq.entropy_weight is -1",
        ];
        Assert.All(faults, fault => Assert.Contains(fault, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(QuantizerKind.Product)]
    [InlineData(QuantizerKind.OptimisedProduct)]
    public void A_vector_with_fewer_values_than_levels_has_no_parts(QuantizerKind kind)
    {
        var refused = Assert.Throws<CatalogException>(
            () => QuantizerTrainer.Train(Blobs.Fused(50, 2, 5, 1), Options with { Kind = kind }, 1, null, default));
        Assert.Equal(Fault.InvalidArgument, refused.Fault);
        Assert.Contains("3 levels", refused.Message, StringComparison.Ordinal);
    }
}
