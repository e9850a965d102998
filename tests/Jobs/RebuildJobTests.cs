using System.Text.Json.Nodes;
using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Quantizer;
using Recsys.Quantizer.Encoding;
using Recsys.Retrieval;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Store.Versions;

namespace Recsys.Jobs.Tests;

public sealed class RebuildJobTests : IDisposable
{
    private const int Items = 60, Users = 50;

    private static readonly DenseOptions Dense = new()
    {
        Dim = 16, Layers = 1, Heads = 2, MinSteps = 4, MaxSteps = 4, BatchItems = 130,
    };

    private static readonly GenerativeOptions Decoder = new()
    {
        Dim = 16, Layers = 1, Heads = 2, MinSteps = 4, MaxSteps = 4, BatchItems = 130,
    };

    private static readonly RebuildOptions Tiny = new()
    {
        Quantizer = new QuantizerOptions { Kind = QuantizerKind.ResidualKMeans, Levels = 2, CodebookSize = 8 },
        Retrieval = new RetrievalOptions { Id = Dense, Content = Dense, Generative = Decoder, Beam = 10 },
        Gates = new GateOptions { Users = 20, MaxCollisionShare = 1, MinPopularityRatio = 0 }, // four steps learn nothing
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-jobs-").FullName;

    private RebuildOptions Options =>
        Tiny with { Embeddings = new DefaultEmbeddingOptions { Cache = Path.Combine(_folder, "cache"), Text = new("tfidf") } };
    private readonly MemoryIdStore _ids = new();

    [Fact]
    public async Task A_rebuild_publishes_activates_and_reports_what_it_measured()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var result = await Rebuild(versions, dataset, Options);

        Assert.True(result.Activated);
        Assert.Equal(result.Report.Version, _ids.Active);
        var folder = versions.Open(result.Report.Version);
        Assert.Equal(Items, folder.Items.Count);
        Assert.Equal(Items, _ids.Published[folder.Version].Count);
        var report = RebuildReport.FromJson(await File.ReadAllTextAsync(folder.PathOf(RebuildReport.FileName)));
        Assert.Equal(new LeaveOneOut(dataset.Sequences).Sha256, report.SplitSha256);
        Assert.All(report.Gates, gate => Assert.True(gate.Passed, gate.Name));
        Assert.All(
            ["id/loss", "id/validation_ndcg@10", "content/loss", "generative/loss", "generative/validation_log_p"],
            key => Assert.NotEmpty(report.Curves[key]));
    }

    /// <summary>The oracle against leakage: what was held out changes, nothing that was learned does.</summary>
    [Fact]
    public async Task Held_out_interactions_change_no_byte_of_codebook_codes_and_models()
    {
        var learned = await LearnedAsync("as-it-is", heldOut: 0);
        Assert.Contains(learned.Keys, IsRetrieval);
        Assert.Equal(learned, await LearnedAsync("another-test-target", heldOut: 7, from: 8));

        // Validation targets choose the retrieval model's settings, of which the configuration tells; they are in nothing else.
        var unlike = await LearnedAsync("other-targets", heldOut: 7);
        Assert.Equal(learned.Keys.Order(), unlike.Keys.Order());
        Assert.Equal(learned.Where(file => !IsRetrieval(file.Key)), unlike.Where(file => !IsRetrieval(file.Key)));
        Assert.NotEqual(learned["retrieval/config.json"], unlike["retrieval/config.json"]);

        static bool IsRetrieval(string file) => file.StartsWith(RebuildJob.RetrievalFolder, StringComparison.Ordinal);

        async Task<Dictionary<string, string>> LearnedAsync(string name, int heldOut, int from = 7)
        {
            var versions = new VersionStore(Path.Combine(_folder, "versions-" + name));
            using var dataset = Write("data-" + name, heldOut, from: from);
            _ids.Active = null;
            var result = await Rebuild(versions, dataset, Options);
            var files = versions.Open(result.Report.Version).Manifest.Files.Where(file => file.Key != RebuildReport.FileName);
            return files.ToDictionary(file => file.Key, file => file.Value.Sha256);
        }
    }

    [Fact]
    public async Task A_refused_version_is_not_published_and_its_verdict_is_kept()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        _ids.Active = "before";
        var refused = await Assert.ThrowsAsync<GateException>(
            () => Rebuild(versions, dataset, Options with { Gates = Tiny.Gates with { MaxCollisionGroup = 1 } }));

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
        var late = await Assert.ThrowsAsync<CatalogException>(() => Rebuild(versions, dataset, Options));
        Assert.Equal(Fault.FailedPrecondition, late.Fault);
        Assert.Equal("faster", _ids.Active);
    }

    [Fact]
    public async Task Fit_all_publishes_a_model_that_says_it_has_seen_everything_and_keeps_the_honest_verdict()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var honest = await Rebuild(versions, dataset, Options);
        var result = await Rebuild(versions, dataset, Options with { FitAll = true });
        Assert.True(result.Report.FitAll);
        Assert.Contains(result.Report.Gates, gate => gate.Name == "validation_recall@10");
        Assert.Equal(2, versions.List().Count);
        string Space(RebuildReport report, string name) => report.Embeddings.Single(embedding => embedding.Name == name).Space!;
        Assert.Equal(Space(honest.Report, "text"), Space(result.Report, "text"));
        Assert.NotEqual(Space(honest.Report, "collaborative"), Space(result.Report, "collaborative"));

        // It has no targets left to choose by, and takes what was chosen for the model that the gates judged.
        string Said(RebuildResult rebuild, string file, string key) => JsonNode.Parse(
            File.ReadAllText(versions.Open(rebuild.Report.Version).PathOf(file)))![key]!.ToJsonString();
        foreach (var (file, key) in new[] { ("retrieval/config.json", "sum"), ("retrieval/transitions/config.json", "reading") })
        {
            Assert.Equal(Said(honest, file, key), Said(result, file, key));
        }

        Assert.NotEqual(1, JsonNode.Parse(Said(honest, "retrieval/config.json", "sum"))!["weights"]!["id"]!.GetValue<double>());
    }

    [Fact]
    public async Task A_second_night_keeps_to_the_first_unless_it_is_told_not_to_or_the_first_has_seen_everything()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var first = await Rebuild(versions, dataset, Options);
        Assert.True(first.Report.Codebook is { Trained: true, Churn: null, Note: null });
        var second = await Rebuild(versions, dataset, Options with { Seed = 99 });
        var origin = second.Report.Codebook!;
        Assert.Equal((false, first.Report.Version, 0.0), (origin.Trained, origin.Churn!.Before, origin.Churn.Renamed));
        string[] Hashes(RebuildResult result) => [.. versions.Open(result.Report.Version).Manifest.Files
            .Where(file => file.Key.StartsWith("codebook", StringComparison.Ordinal)).Select(file => file.Value.Sha256)];
        Assert.Equal(Hashes(first), Hashes(second));
        var told = Options.Quantizer with { Stability = new StabilityOptions { Fresh = true } };
        var fresh = await Rebuild(versions, dataset, Options with { Seed = 99, Quantizer = told });
        Assert.True(fresh.Report.Codebook is { Trained: true, Churn: null, Note: "quantizer.stability.fresh" });
        Assert.NotEqual(Hashes(first), Hashes(fresh));
        // What is published of fit-all may follow; what the gates judge may not follow it.
        var all = await Rebuild(versions, dataset, Options with { FitAll = true });
        Assert.Equal(fresh.Report.Version, all.Report.Codebook!.Churn!.Before);
        var honest = await Rebuild(versions, dataset, Options);
        Assert.Contains("has seen", honest.Report.Codebook!.Note, StringComparison.Ordinal);
        Assert.Equal(Hashes(first), Hashes(honest));
    }

    // Root may write anywhere, so permissions would prove nothing: every name and time of change in the folder is compared instead.
    [Fact]
    public async Task Rebuilds_at_once_leave_the_dataset_as_it_was_and_both_publish()
    {
        Write("data", heldOut: 0).Dispose();
        string folder = Path.Combine(_folder, "data");
        string[] State() => [.. Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories).Append(folder).Order()
            .Select(path => $"{path} {File.GetLastWriteTimeUtc(path).Ticks}")];
        var before = State();
        var hashes = await Task.WhenAll(Enumerable.Range(0, 2).Select(async i =>
        {
            using var dataset = Dataset.Open(folder);
            var versions = new VersionStore(Path.Combine(_folder, $"versions-{i}"));
            var job = new RebuildJob(versions, new MemoryIdStore(), TimeProvider.System);
            var result = await job.RunAsync(dataset, Options with { Embeddings = Options.Embeddings with { Text = new() } }, null, default);
            Assert.True(result.Activated);
            Assert.Equal(result.Report.Version, Assert.Single(versions.List()).Version);
            return result.Report.DatasetSha256;
        }));
        Assert.Equal(before, State());
        using var after = Dataset.Open(folder);
        Assert.All(hashes, hash => Assert.Equal(after.Sha256, hash));
    }

    [Fact]
    public async Task The_report_names_what_items_are_known_by_and_the_pictures_that_cannot_be_read()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using (Write("data", heldOut: 0))
        {
            Directory.CreateDirectory(Path.Combine(_folder, "data", "images"));
            File.WriteAllText(Path.Combine(_folder, "data", "images", "i3.png"), "<html>404</html>");
            File.WriteAllText(Path.Combine(_folder, "data", "images", "i5.jpg"), "");
        }

        using var dataset = Dataset.Open(Path.Combine(_folder, "data"));
        var result = await Rebuild(versions, dataset, Options with { Pictures = false });
        var report = RebuildReport.FromJson(
            await File.ReadAllTextAsync(versions.Open(result.Report.Version).PathOf(RebuildReport.FileName)));
        Assert.Equal(["text", "collaborative", "image"], report.Embeddings.Select(embedding => embedding.Name));
        Assert.Equal(Items, report.Embeddings[0].Items);
        Assert.Equal((0, 2), (report.Embeddings[2].Items, report.Embeddings[2].Unreadable));
        Assert.Equal(["item 'i3'", "item 'i5'"], report.Embeddings[2].FirstUnreadable.Select(picture => picture.Split(':')[0]));
    }

    [Fact]
    public async Task A_model_far_below_the_most_popular_items_is_refused()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0, hot: true);
        var gates = Options.Gates with { Users = Users, MinPopularityRatio = 2 }; // the most popular item is every user's target
        var refused = await Assert.ThrowsAsync<GateException>(() => Rebuild(versions, dataset, Options with { Gates = gates }));
        Assert.Contains(refused.Gates, gate => gate is { Name: "recall_over_popularity", Passed: false });

        var split = new LeaveOneOut(dataset.Sequences);
        int[] users = split.EvaluatedUsers;
        double[] Hits(int missed) => [.. users.Select((_, i) => i < missed ? 0.0 : 1)];
        bool Passes(int missed) => Gates.AbovePopularity(split, users, Hits(missed), Items, ratio: 1).Passed;
        Assert.True(Passes(missed: 0)); // as good as the most popular
        Assert.True(Passes(missed: 1)); // one user says nothing
        Assert.False(Passes(missed: users.Length / 2));
        Assert.False(Passes(users.Length));
    }

    [Fact]
    public async Task A_collapsed_codebook_is_refused()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var strict = Options with { Gates = Options.Gates with { MinCodePerplexity = 1 } }; // no learned codebook is that even
        var refused = await Assert.ThrowsAsync<GateException>(() => Rebuild(versions, dataset, strict));
        Assert.Contains(refused.Gates, gate => gate is { Name: "code_perplexity", Passed: false, Value: < 1 });

        // By default: a thousand items on 16 codes, evenly, and with one code that has nine of ten.
        Assert.All(OfCodes(item => item % 16), gate => Assert.True(gate.Passed, gate.Name));
        Assert.Equal(
            ["code_perplexity"], OfCodes(item => item < 900 ? 0 : item % 16).Where(gate => !gate.Passed).Select(gate => gate.Name));
        Assert.Contains(OfCodes(_ => 0), gate => gate is { Name: "code_usage", Passed: false });

        static IReadOnlyList<GateResult> OfCodes(Func<int, int> code)
        {
            var ids = Enumerable.Range(0, 1000).Select(item => new SemanticId([(ushort)code(item), (ushort)item])).ToArray();
            string[] names = [.. ids.Select((_, item) => $"i{item}")];
            var table = new ItemTable(names, ids, names, [16, 1000]);
            return [.. Gates.OfCodes(table, QuantizerReport.Of(new float[1000], new float[1000], ids, [16, 1000]), new GateOptions())];
        }
    }

    [Fact]
    public async Task A_version_that_lost_what_the_active_one_finds_is_refused_and_an_equal_one_is_not()
    {
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        using var dataset = Write("data", heldOut: 0);
        var options = Options with
        {
            Gates = Options.Gates with { Users = Users },
            Retrieval = Options.Retrieval with { Generative = Decoder with { MinSteps = 60, MaxSteps = 60, LearningRate = 1e-2 } },
        };
        await Rebuild(versions, dataset, options);
        var again = await Rebuild(versions, dataset, options);
        Assert.True(again.Activated);
        var equal = Assert.Single(again.Report.Gates, gate => gate.Name == "recall_change_active");
        Assert.Equal(0, equal.Value);

        var split = new LeaveOneOut(dataset.Sequences);
        var folder = versions.Open(again.Report.Version);
        var references = new References(versions, "walks", options);
        double[] nothing = new double[split.EvaluatedUsers.Length];
        var lost = references.Judge(
            again.Report.Version, split, split.EvaluatedUsers, nothing, folder.Items, CancellationToken.None).ToArray();
        Assert.Contains(lost, gate => gate is { Name: "recall_change_active", Passed: false, Value: < 0 });
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<RebuildResult> Rebuild(VersionStore versions, Dataset dataset, RebuildOptions options) =>
        new RebuildJob(versions, _ids, TimeProvider.System).RunAsync(dataset, options, null, CancellationToken.None);

    /// <summary>Histories that walk the catalogue; <paramref name="heldOut"/> shifts the items of each from a step on, the last two or the
    /// last alone, and nothing else; with <paramref name="hot"/> all have one item in the training part and as validation target.</summary>
    private Dataset Write(string name, int heldOut, bool hot = false, int from = 7)
    {
        string folder = Path.Combine(_folder, name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "dataset.json"), """{ "name": "walks", "format": 1 }""");
        var items = Enumerable.Range(0, Items).Select(item => $"i{item}\tthing {item} of kind {item % 7} and colour {item % 5}");
        File.WriteAllLines(Path.Combine(folder, "items.tsv"), items.Prepend("item_id\ttitle"));
        int ItemAt(int user, int step) =>
            hot && step is (3 or 7) ? 0 : ((user * 5) + (step * 3) + (step >= from ? heldOut : 0)) % Items;
        var histories = Enumerable.Range(0, Users)
            .Select(user => $"u{user} " + string.Join(' ', Enumerable.Range(0, 9).Select(step => $"i{ItemAt(user, step)}")));
        File.WriteAllLines(Path.Combine(folder, "sequences.txt"), histories);
        return Dataset.Open(folder);
    }
}
