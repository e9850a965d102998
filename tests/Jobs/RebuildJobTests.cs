using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Quantizer;
using Recsys.Retrieval;
using Recsys.Store.Versions;

namespace Recsys.Jobs.Tests;

public sealed class RebuildJobTests : IDisposable
{
    private const int Items = 60, Users = 50;

    private static readonly RebuildOptions Tiny = new()
    {
        Quantizer = new QuantizerOptions { Kind = QuantizerKind.ResidualKMeans, Levels = 2, CodebookSize = 8 },
        Retrieval = new RetrievalOptions { Dim = 16, Layers = 1, Heads = 2, MinSteps = 4, MaxSteps = 4, BatchTokens = 400, Beam = 10 },
        Gates = new GateOptions { Users = 20, MaxCollisionShare = 1, MinPopularityRatio = 0 }, // four steps learn nothing
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-jobs-").FullName;
    private readonly MemoryIdStore _ids = new();

    [Fact]
    public async Task A_rebuild_publishes_activates_and_reports_what_it_measured()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var result = await Rebuild(versions, dataset, Tiny);

        Assert.True(result.Activated);
        Assert.Equal(result.Report.Version, _ids.Active);
        var folder = versions.Open(result.Report.Version);
        Assert.Equal(Items, folder.Items.Count);
        Assert.Equal(Items, _ids.Published[folder.Version].Count);
        var report = RebuildReport.FromJson(await File.ReadAllTextAsync(folder.PathOf(RebuildReport.FileName)));
        Assert.Equal(new LeaveOneOut(dataset.Sequences).Sha256, report.SplitSha256);
        Assert.All(report.Gates, gate => Assert.True(gate.Passed, gate.Name));
        Assert.Contains(report.Curves, curve => curve.Key == "retrieval/loss" && curve.Value.Count > 0);
    }

    /// <summary>The oracle against leakage: what was held out changes, nothing that was learned does.</summary>
    [Fact]
    public async Task Held_out_interactions_change_no_byte_of_codebook_codes_and_models()
    {
        var learned = new List<Dictionary<string, string>>();
        foreach (int heldOut in new[] { 0, 7 })
        {
            var versions = new VersionStore(Path.Combine(_folder, "versions-" + heldOut));
            using var dataset = Write("data-" + heldOut, heldOut);
            _ids.Active = null;
            var result = await Rebuild(versions, dataset, Tiny);
            learned.Add(versions.Open(result.Report.Version).Manifest.Files.Where(file => file.Key != RebuildReport.FileName).ToDictionary(file => file.Key, file => file.Value.Sha256));
        }

        Assert.Contains(learned[0].Keys, file => file.StartsWith(RebuildJob.RetrievalFolder + "/", StringComparison.Ordinal));
        Assert.Equal(learned[0], learned[1]);
    }

    [Fact]
    public async Task A_refused_version_is_not_published_and_its_verdict_is_kept()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        _ids.Active = "before";
        var refused = await Assert.ThrowsAsync<GateException>(() => Rebuild(versions, dataset, Tiny with { Gates = Tiny.Gates with { MaxCollisionGroup = 1 } }));

        Assert.Contains("largest_collision_group", refused.Message, StringComparison.Ordinal);
        Assert.Equal("before", _ids.Active);
        Assert.Empty(_ids.Published);
        Assert.Empty(versions.List());
        Assert.Single(Directory.GetFiles(Path.Combine(versions.Root, "refused")));
    }

    [Fact]
    public async Task An_activation_that_came_first_is_not_overwritten()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        _ids.BeforeActivation = () => _ids.Active = "faster";
        var late = await Assert.ThrowsAsync<CatalogException>(() => Rebuild(versions, dataset, Tiny));
        Assert.Equal(Fault.FailedPrecondition, late.Fault);
        Assert.Equal("faster", _ids.Active);
    }

    [Fact]
    public async Task Fit_all_publishes_a_model_that_says_it_has_seen_everything_and_keeps_the_honest_verdict()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        byte[] collaborative = await File.ReadAllBytesAsync(Embedded(dataset));
        var result = await Rebuild(versions, dataset, Tiny with { FitAll = true });
        Assert.True(result.Report.FitAll);
        Assert.Contains(result.Report.Gates, gate => gate.Name == "validation_recall@10");
        Assert.Single(versions.List());
        Assert.Equal(collaborative, await File.ReadAllBytesAsync(Embedded(dataset)));
    }

    [Fact]
    public async Task A_model_far_below_the_most_popular_items_is_refused()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var gates = Tiny.Gates with { Users = Users, MinPopularityRatio = 100 };
        var refused = await Assert.ThrowsAsync<GateException>(() => Rebuild(versions, dataset, Tiny with { Gates = gates }));
        Assert.Contains(refused.Gates, gate => gate is { Name: "validation_recall@10", Passed: false });
    }

    [Fact]
    public async Task A_collapsed_codebook_is_refused()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var collapsed = Tiny with { Gates = Tiny.Gates with { MinCodePerplexity = 1 } }; // what a collapse does to the default of .2
        var refused = await Assert.ThrowsAsync<GateException>(() => Rebuild(versions, dataset, collapsed));
        Assert.Contains(refused.Gates, gate => gate is { Name: "code_perplexity", Passed: false, Value: < 1 });
        Assert.Contains(refused.Gates, gate => gate is { Name: "code_usage", Passed: true });
    }

    [Fact]
    public async Task A_version_that_lost_what_the_active_one_finds_is_refused_and_an_equal_one_is_not()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var options = Tiny with { Gates = Tiny.Gates with { Users = Users }, Retrieval = Tiny.Retrieval with { MinSteps = 60, MaxSteps = 60, LearningRate = 1e-2 } };
        await Rebuild(versions, dataset, options);
        var again = await Rebuild(versions, dataset, options);
        Assert.True(again.Activated);
        var equal = Assert.Single(again.Report.Gates, gate => gate.Name == "recall_change_active");
        Assert.Equal(0, equal.Value);

        var split = new LeaveOneOut(dataset.Sequences);
        var folder = versions.Open(again.Report.Version);
        var references = new References(versions, "walks", options);
        double[] nothing = new double[split.EvaluatedUsers.Length];
        var lost = references.Judge(again.Report.Version, split, split.EvaluatedUsers, nothing, folder.Items, CancellationToken.None).ToArray();
        Assert.Contains(lost, gate => gate is { Name: "recall_change_active", Passed: false, Value: < 0 });
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Embedded(Dataset dataset)
    {
        Recsys.Embeddings.DefaultEmbeddings.Write(dataset, new Recsys.Embeddings.DefaultEmbeddingOptions { Seed = Tiny.Seed }, null, CancellationToken.None);
        return Path.Combine(dataset.Path, "embeddings", "collaborative.npy");
    }

    private Task<RebuildResult> Rebuild(VersionStore versions, Dataset dataset, RebuildOptions options) =>
        new RebuildJob(versions, _ids, TimeProvider.System).RunAsync(dataset, options, null, CancellationToken.None);

    /// <summary>Histories that walk the catalogue; <paramref name="heldOut"/> shifts the last two items of each and nothing else.</summary>
    private Dataset Write(string name, int heldOut)
    {
        string folder = Path.Combine(_folder, name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "dataset.json"), """{ "name": "walks", "format": 1 }""");
        File.WriteAllLines(Path.Combine(folder, "items.tsv"), Enumerable.Range(0, Items).Select(item => $"i{item}\tthing {item} of kind {item % 7} and colour {item % 5}").Prepend("item_id\ttitle"));
        File.WriteAllLines(Path.Combine(folder, "sequences.txt"), Enumerable.Range(0, Users).Select(user =>
            $"u{user} " + string.Join(' ', Enumerable.Range(0, 9).Select(step => "i" + (((user * 5) + (step * 3) + (step >= 7 ? heldOut : 0)) % Items)))));
        return Dataset.Open(folder);
    }
}
