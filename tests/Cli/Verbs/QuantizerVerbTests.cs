using System.Text.Json;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Cli.Verbs;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Jobs.Quantizers;
using Recsys.Quantizer;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Retrieval;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Training;
using Recsys.Store.Versions;

namespace Recsys.Cli.Tests.Verbs;

/// <summary>The verbs run whole, on a small dataset without titles or pictures, so that no encoder is asked.</summary>
public sealed class QuantizerVerbTests : IDisposable
{
    private const int Items = 120, Dim = 6;

    private readonly TemporaryFolder _folder = new();

    public QuantizerVerbTests()
    {
        var random = new Random(1);
        _folder.With("d/dataset.json", """{ "name": "tiny", "format": 1 }""")
            .With("d/items.tsv", "item_id\n" + string.Join('\n', Enumerable.Range(0, Items).Select(i => $"i{i}")) + "\n")
            .With("d/sequences.txt", string.Concat(Enumerable.Range(0, 40).Select(user =>
                $"u{user} {string.Join(' ', Enumerable.Range(0, 6).Select(_ => $"i{random.Next(Items)}"))}\n")))
            .With(
                "config.json",
                """{ "quantizer": { "levels": 2, "codebook_size": 8, "rq_vae": { "epochs": 3, "hidden": [8] } } }""");
        using var dataset = Dataset.Open(_folder["d"]);
        Directory.CreateDirectory(_folder["d/embeddings"]);
        float[] data = [.. Enumerable.Range(0, Items * Dim).Select(
            i => (float)((i / Dim % 12 == i % Dim ? 2 : 0) + random.NextDouble()))];
        dataset.WriteEmbedding(new EmbeddingMatrix("mine", Dim, data, [.. Enumerable.Repeat(true, Items)]), _folder["d/embeddings"]);
    }

    [Fact]
    public async Task Compare_prints_a_row_for_each_way_and_writes_a_page_with_maps()
    {
        var (code, json) = await RunAsync(
            "quantizer", "compare", "--data", _folder["d"], "--config", _folder["config.json"], "--cache", _folder["cache"],
            "--html", _folder["page.html"]);
        Assert.Equal(0, code);
        Assert.Equal(("tiny", Items), (json.GetProperty("dataset").GetString(), json.GetProperty("items").GetInt32()));
        var rows = json.GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(
            Enum.GetValues<QuantizerKind>().Select(kind => kind.Name()).Order(),
            rows.Select(row => row.GetProperty("kind").GetString()!).Distinct().Order());
        Assert.All(rows, row => Assert.False(row.TryGetProperty("failure", out var failure), failure.ToString()));
        Assert.All(rows, row => Assert.InRange(row.GetProperty("neighbour_recall").GetDouble(), 0, 1));
        string page = File.ReadAllText(_folder["page.html"]);
        Assert.Equal(rows.Sum(row => row.GetProperty("sizes").GetArrayLength()), page.Split("<svg").Length - 1);
    }

    [Theory]
    [InlineData("pq", "pq")]
    [InlineData("qv", "rqvae; rqvae, gradient; rqvae, rotation; rqvae, gumbel; vqvae")]
    public async Task A_way_is_picked_by_its_name_or_by_part_of_it(string only, string names)
    {
        var (code, json) = await RunAsync(
            "quantizer", "compare", "--data", _folder["d"], "--config", _folder["config.json"], "--cache", _folder["cache"],
            "--only", only);
        Assert.Equal(0, code);
        var rows = json.GetProperty("rows").EnumerateArray();
        Assert.Equal(names, string.Join("; ", rows.Select(row => row.GetProperty("name").GetString())));
    }

    [Fact]
    public async Task Retrieval_steps_add_the_recall_of_a_model_on_the_ids()
    {
        var (code, json) = await RunAsync(
            "quantizer", "compare", "--data", _folder["d"], "--config", _folder["config.json"], "--cache", _folder["cache"],
            "--only", "lsh", "--retrieval-steps", "2");
        Assert.Equal(0, code);
        Assert.InRange(json.GetProperty("rows")[0].GetProperty("retrieval_recall").GetDouble(), 0, 1);
        Assert.Equal(3, (await RunAsync("quantizer", "compare", "--data", _folder["d"], "--only", "nothing")).Code);
    }

    [Fact]
    public async Task Audit_counts_a_version_with_its_data_and_what_moved_since_the_one_before()
    {
        Publish("v1", seed: 1, modelItems: 0);
        Publish("v2", seed: 2);
        var (code, json) = await RunAsync(
            "quantizer", "audit", "--versions", _folder["versions"], "--data", _folder["d"], "--cache", _folder["cache"],
            "--html", _folder["audit.html"]);
        Assert.Equal((0, "v2"), (code, json.GetProperty("version").GetString()));
        Assert.Equal(1, json.GetProperty("neighbourhood").GetProperty("reencoded").GetDouble());
        Assert.Equal("v1", json.GetProperty("churn").GetProperty("before").GetString());
        Assert.Equal(Items, json.GetProperty("churn").GetProperty("kept").GetInt32());
        var generated = json.GetProperty("generated");
        Assert.Equal(40, generated.GetProperty("histories").GetInt32());
        Assert.Equal(1, new[] { "unique", "ambiguous", "nonexistent" }.Sum(kind => generated.GetProperty(kind).GetDouble()), 9);
        Assert.Contains("name no single item", File.ReadAllText(_folder["audit.html"]), StringComparison.Ordinal);
        Assert.True(json.GetProperty("levels")[0].GetProperty("traffic_perplexity").GetDouble() > 1);
        Assert.Equal(2, File.ReadAllText(_folder["audit.html"]).Split("<svg").Length - 1);
        (_, json) = await RunAsync("quantizer", "audit", "--versions", _folder["versions"], "--version", "v2", "--before", "v2");
        Assert.Equal(0, json.GetProperty("churn").GetProperty("renamed").GetDouble());
        Assert.False(json.TryGetProperty("neighbourhood", out _));
        Assert.Equal("needs --data with histories", json.GetProperty("not_generated").GetString());
        (_, json) = await RunAsync(
            "quantizer", "audit", "--versions", _folder["versions"], "--version", "v1", "--data", _folder["d"], "--cache",
            _folder["cache"]);
        Assert.Equal("no history, or no retrieval model", json.GetProperty("not_generated").GetString());
    }

    [Theory]
    [InlineData("other sizes", 5)]
    [InlineData("another codebook of the same sizes", 5)]
    [InlineData("altered codebook", 6)]
    [InlineData("a model of other items", 5)]
    [InlineData("altered model", 6)]
    [InlineData("embeddings of another length", 5)]
    [InlineData("other embeddings of the same length", 5)]
    [InlineData("nothing", 0)]
    public async Task Audit_refuses_a_version_whose_embeddings_codebook_and_models_do_not_belong_together(string what, int code)
    {
        Publish("v1", seed: 1, codebookOf: what switch
        {
            "other sizes" => new QuantizerOptions { Levels = 2, CodebookSize = 4 },
            "another codebook of the same sizes" =>
                new QuantizerOptions { Levels = 2, CodebookSize = 8, KMeansIterations = 1, BalanceRounds = 0 },
            _ => null,
        }, modelItems: what == "a model of other items" ? Items + 1 : Items);
        if (what.StartsWith("altered", StringComparison.Ordinal))
        {
            string part = what == "altered model" ? "retrieval" : "codebook";
            File.AppendAllText(_folder[$"versions/v1/{part}/config.json"], " ");
        }
        else if (what.Contains("embeddings", StringComparison.Ordinal))
        {
            int dim = what.Contains("another", StringComparison.Ordinal) ? Dim + 1 : Dim;
            var random = new Random(7);
            using var dataset = Dataset.Open(_folder["d"]);
            float[] data = [.. Enumerable.Range(0, Items * dim).Select(_ => (float)random.NextDouble())];
            dataset.WriteEmbedding(new EmbeddingMatrix("mine", dim, data, [.. Enumerable.Repeat(true, Items)]), _folder["d/embeddings"]);
        }

        var (exit, _) = await RunAsync(
            "quantizer", "audit", "--versions", _folder["versions"], "--version", "v1", "--data", _folder["d"], "--cache",
            _folder["cache"]);
        Assert.Equal(code, exit);
    }

    [Fact]
    public async Task Stability_counts_what_moves_between_two_nights_and_fusion_what_a_missing_embedding_does()
    {
        var (code, json) = await RunAsync(
            "quantizer", "stability", "--data", _folder["d"], "--config", _folder["config.json"], "--cache", _folder["cache"],
            "--retrieval-steps", "2", "--seeds", "2");
        Assert.Equal(0, code);
        var rows = json.GetProperty("report").GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(3, rows.Count);
        Assert.Equal(108, rows[0].GetProperty("churn").GetProperty("kept").GetInt32());
        Assert.Equal([2, 0, 2], rows.Select(row => row.GetProperty("recall").GetArrayLength()));

        File.WriteAllText(_folder["d/items.tsv"], "item_id\tgroup\n" + string.Concat(
            Enumerable.Range(0, Items).Select(item => $"i{item}\tg{item % 12}\n")));
        (code, json) = await RunAsync(
            "quantizer", "fusion", "--data", _folder["d"], "--config", _folder["config.json"], "--cache", _folder["cache"],
            "--category", "group");
        Assert.Equal(0, code);
        Assert.Equal(
            ["", "text", "collaborative", "mine", "chance"],
            json.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("removed").GetString()!));
    }

    [Fact]
    public void The_page_of_the_command_line_has_every_verb_and_the_options_of_these()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "command-line.md"));
        Assert.All(CommandTree.Root.Subcommands, verb => Assert.Contains($"`{verb.Name}", page, StringComparison.Ordinal));
        var quantizer = CommandTree.Root.Subcommands.Single(verb => verb.Name == "quantizer");
        Assert.All(quantizer.Subcommands, verb => Assert.Contains($"`quantizer {verb.Name}`", page, StringComparison.Ordinal));
        Assert.All(
            ["--only", "--retrieval-steps", "--users", "--html", "--version", "--before"],
            option => Assert.True(
                page.Contains(option, StringComparison.Ordinal)
                && quantizer.Subcommands.Any(verb => verb.Options.Any(known => known.Name == option)), option));
    }

    public void Dispose() => _folder.Dispose();

    private void Publish(string version, long seed, QuantizerOptions? codebookOf = null, int modelItems = Items)
    {
        using var dataset = Dataset.Open(_folder["d"]);
        var embeddings = DatasetVectors.Vectors(
            DatasetVectors.Embed(dataset, new DefaultEmbeddingOptions { Cache = _folder["cache"] }, null, default));
        var fused = Fusion.Fit(embeddings, new FusionOptions()).Apply(embeddings);
        var options = new QuantizerOptions { Levels = 2, CodebookSize = 8 };
        using var codebook = QuantizerTrainer.Train(fused, options, seed, null, default);
        using var kept = QuantizerTrainer.Train(fused, codebookOf ?? options, seed, null, default);
        var (ids, report) = codebook.EncodeCatalogue(fused);
        using var writer = new VersionStore(_folder["versions"]).Begin(version);
        var table = new ItemTable(dataset.ItemIds, ids, [.. ids.Select(_ => "")], codebook.Sizes);
        writer.WriteItems(table);
        kept.Save(Directory.CreateDirectory(writer.PathOf(Codebook.PartName)).FullName);
        if (modelItems > 0)
        {
            var generative = new GenerativeOptions { Dim = 16, Layers = 1, Heads = 2, DenseInputs = false, MinSteps = 2, MaxSteps = 2 };
            using var model = RetrievalTrainer.Train(
                new RetrievalTrainingData { Items = table, Training = new LeaveOneOut(dataset.Sequences).Train },
                new RetrievalOptions { Transitions = null, Id = null, Content = null, Generative = generative, Open = false }, seed);
            model.Save(Directory.CreateDirectory(writer.PathOf(RetrievalModel.PartName)).FullName);
            string config = writer.PathOf("retrieval/config.json");
            File.WriteAllText(config, File.ReadAllText(config).Replace($": {Items}", $": {modelItems}", StringComparison.Ordinal));
        }

        File.WriteAllText(writer.PathOf(RebuildReport.FileName), new RebuildReport
        {
            Version = version, Dataset = "tiny", DatasetSha256 = dataset.Sha256, Seed = seed, Machine = "", Quantizer = report,
        }.ToJson());
        writer.Seal(new VersionDescription("tiny", seed, [.. codebook.Sizes], ids.Length, new Dictionary<string, double>()));
    }

    private static async Task<(int Code, JsonElement Json)> RunAsync(params string[] arguments)
    {
        var console = Console.Out;
        using var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            int code = await CommandTree.Parse([.. arguments, "--json"]).InvokeAsync();
            return (code, JsonDocument.Parse(output.ToString()).RootElement);
        }
        finally
        {
            Console.SetOut(console);
        }
    }
}
