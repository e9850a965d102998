using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Tests;

namespace Recsys.Quantizer.Tests;

public sealed class SemanticIdAuditTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Figures_are_those_counted_by_hand()
    {
        // a and b share a tuple; levels of 4 and 2 codes.
        var items = Table([4, 2], ("a", "0-1#0"), ("b", "0-1#1"), ("c", "0-0#0"), ("d", "3-1#0"));
        var audit = SemanticIdAudit.Of("v2", items, traffic: [6, 2, 0, 2]);
        Assert.Equal([3, 0, 0, 1], audit.Levels[0].Counts);
        Assert.Equal((2, 0.5), (audit.Levels[0].Used, audit.Levels[0].Usage));
        Assert.Equal(Math.Exp((0.75 * Math.Log(4.0 / 3)) + (0.25 * Math.Log(4))), audit.Levels[0].Perplexity, 9);
        Assert.Equal(Math.Exp((0.8 * Math.Log(1.25)) + (0.2 * Math.Log(5))), audit.Levels[0].TrafficPerplexity!.Value, 9);
        Assert.Equal(1, audit.Levels[1].TrafficPerplexity!.Value, 9); // c has no interactions
        Assert.Equal((3, 2, 0.5, 0.8, 2), (
            audit.Aliasing.Tuples, audit.Aliasing.Items, audit.Aliasing.Share, audit.Aliasing.TrafficShare!.Value,
            audit.Aliasing.LargestGroup));
        Assert.Equal([(1, 2), (2, 1)], audit.Aliasing.GroupSizes.Select(group => (group.Key, group.Value)));
        Assert.Equal((3, 2.0 + 1 + 1, 2.0), (audit.Cost.Tokens, audit.Cost.Bits, audit.Cost.LeastBits));
        Assert.Equal(1.5, audit.Cost.EntropyBits, 9); // ½ · 1 + 2 · ¼ · 2
        Assert.Equal([2, 3], audit.Cost.TrieNodes);
        Assert.Null(audit.Churn);
        Assert.Null(SemanticIdAudit.Of("v2", items).Levels[0].TrafficPerplexity);
        Assert.Throws<CatalogException>(() => SemanticIdAudit.Of("v2", items, traffic: [1]));
    }

    [Fact]
    public void Churn_is_over_the_items_that_both_versions_have()
    {
        var before = Table([4, 4], ("a", "0-1#0"), ("b", "0-1#1"), ("c", "2-2#0"), ("d", "3-0#0"), ("gone", "1-1#0"));
        var now = Table([4, 4], ("new", "0-1#0"), ("a", "0-1#1"), ("b", "0-2#0"), ("c", "1-2#0"), ("d", "3-0#0"));
        var churn = SemanticIdAudit.Of("v2", now, before: ("v1", before)).Churn!;
        Assert.Equal(("v1", 4, 1, 1), (churn.Before, churn.Kept, churn.New, churn.Gone));
        Assert.Equal((0.5, 0.75), (churn.Moved, churn.Renamed)); // b and c; a by its token
        Assert.Equal([0.25, 0.5], churn.MovedPrefix!);
        Assert.Null(SemanticIdAudit.Of("v2", Table([4], ("a", "0#0")), before: ("v1", before)).Churn!.MovedPrefix);
    }

    [Fact]
    public void Generated_tuples_are_counted_by_the_items_that_have_them()
    {
        var items = Table([4, 2], ("a", "0-1#0"), ("b", "0-1#1"), ("c", "0-0#0"));
        SemanticId[][] generated =
        [
            [SemanticId.Parse("0-1#0"), SemanticId.Parse("0-0#0"), SemanticId.Parse("2-0#0")], [SemanticId.Parse("3-1#0")],
        ];
        var counted = GenerationAudit.Of(generated, items.SemanticIds);
        Assert.Equal(new GenerationAudit(2, 3, 0.25, 0.25, 0.5), counted);
    }

    [Fact]
    public void Near_items_have_near_codes_and_codes_of_others_do_not_pass_for_theirs()
    {
        var fused = Blobs.Fused(300, 8, 15, 1);
        using var codebook = QuantizerTrainer.Train(fused, new QuantizerOptions { Levels = 2, CodebookSize = 16 }, 1, null, default);
        var ids = codebook.EncodeCatalogue(fused).Ids;
        var audit = SemanticIdAudit.Neighbourly(codebook, fused, ids, 1);
        Assert.Equal(1, audit.Reencoded);
        Assert.True(audit.Recall > 0.3, $"{audit.Recall}");
        Assert.True(audit.SharedPrefix[0] > 5 * audit.ChancePrefix[0], $"{audit.SharedPrefix[0]} of {audit.ChancePrefix[0]}");
        Assert.True(audit.SharedPrefix[1] < audit.SharedPrefix[0]);
        var counts = ids.CountBy(id => id[0]).Select(pair => (double)pair.Value);
        Assert.Equal(counts.Sum(count => count * (count - 1)) / (300 * 299), audit.ChancePrefix[0], 9);

        var shuffled = ids.ToArray();
        new Random(1).Shuffle(shuffled);
        var wrong = SemanticIdAudit.Neighbourly(codebook, fused, shuffled, 1);
        Assert.True(wrong.Reencoded < 0.2 && wrong.Recall < 0.1 && wrong.ReconstructionError > 1, $"{wrong}");
    }

    [Fact]
    public void A_version_whose_parts_are_of_two_versions_is_refused_with_all_that_does_not_fit()
    {
        var fits = Version(items: 2, """{ "sizes": [4, 2] }""", """{ "codebook_sizes": [4, 2], "trained_items": 2 }""");
        VersionConsistency.Require(fits);
        var refused = Assert.Throws<CatalogException>(() => VersionConsistency.Require(
            Version(items: 3, """{ "sizes": [4, 4] }""", """{ "codebook_sizes": [8, 2], "trained_items": 5 }""")));
        Assert.Equal(Fault.FailedPrecondition, refused.Fault);
        Assert.All(
            [
                "the manifest names 3 items, the table has 2", "codebook/config.json is of 4 × 4 codes, the table of 4 × 2",
                "retrieval/config.json is of 8 × 2 codes", "retrieval/config.json has learned 5 items",
            ],
            fault => Assert.Contains(fault, refused.Message, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private VersionFolder Version(int items, string codebook, string retrieval)
    {
        _folder.With("v/codebook/config.json", codebook).With("v/retrieval/config.json", retrieval);
        string[] files = ["codebook/config.json", "retrieval/config.json"];
        return new VersionFolder(
            "v", _folder["v"],
            new VersionManifest(
                "v", DateTimeOffset.UnixEpoch, new VersionDescription("d", 1, [4, 2], items, new Dictionary<string, double>()),
                files.ToDictionary(file => file, _ => new ManifestFile(1, ""))),
            Table([4, 2], ("a", "0-1#0"), ("b", "1-1#0")));
    }

    private static ItemTable Table(int[] sizes, params (string Item, string Id)[] rows) => new(
        [.. rows.Select(row => row.Item)], [.. rows.Select(row => SemanticId.Parse(row.Id))], [.. rows.Select(_ => "")], sizes);
}
