using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Quantizer;
using Recsys.Retrieval;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Store.Versions;

namespace Recsys.Jobs.Tests;

/// <summary>The second training, which learns from the validation targets too and is what a server answers with.</summary>
public sealed class OpenModelTests : IDisposable
{
    private const int Items = 20;

    private static readonly RetrievalOptions Counting = new() { Id = null, Content = null, Generative = null };

    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-open-").FullName;

    [Fact]
    public async Task It_counts_the_validation_targets_and_no_test_target_and_takes_over_what_was_chosen()
    {
        var (folder, split) = await RebuildAsync(Counting);
        using var measured = RetrievalModel.Load(folder.PathOf(RetrievalModel.PartName));
        using var open = RetrievalModel.Load(folder.PathOf(RetrievalModel.OpenFolder));
        Assert.Equal(Interactions(split.Train), Interactions(folder, RetrievalModel.PartName));
        Assert.Equal(Interactions(split.TrainAndValidation), Interactions(folder, RetrievalModel.OpenFolder));
        Assert.NotEqual(Interactions(split.Train), Interactions(split.TrainAndValidation));
        Assert.NotEqual(Interactions(split.All), Interactions(split.TrainAndValidation));
        Assert.Equal(measured.Choices.Transitions, open.Choices.Transitions);
        Assert.Equal(measured.Config.Sum.Repeat, open.Config.Sum.Repeat);
        Assert.Equal(measured.Config.Sum.Temperature, open.Config.Sum.Temperature);
    }

    [Fact]
    public async Task It_is_served_and_the_other_one_is_measured()
    {
        var (folder, split) = await RebuildAsync(Counting);
        Assert.Equal(First(folder, RetrievalModel.OpenFolder, split), Served(folder, split, measured: false));
        Assert.Equal(First(folder, RetrievalModel.PartName, split), Served(folder, split, measured: true));
        Assert.NotEqual(Served(folder, split, measured: true), Served(folder, split, measured: false));
    }

    [Fact]
    public async Task Left_out_the_measured_one_is_served()
    {
        var (folder, split) = await RebuildAsync(Counting with { Open = false });
        Assert.False(Directory.Exists(folder.PathOf(RetrievalModel.OpenFolder)));
        Assert.Equal(First(folder, RetrievalModel.PartName, split), Served(folder, split, measured: false));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<(VersionFolder Folder, LeaveOneOut Split)> RebuildAsync(RetrievalOptions retrieval)
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        File.WriteAllText(Path.Combine(data, "dataset.json"), """{"name": "open", "format": 1}""");
        File.WriteAllLines(
            Path.Combine(data, "items.tsv"),
            Enumerable.Range(0, Items).Select(item => $"i{item}\tthing {item} of kind {item % 4}").Prepend("item_id\ttitle"));
        File.WriteAllLines(
            Path.Combine(data, "sequences.txt"),
            Enumerable.Range(0, 30).Select(user => $"u{user} " + string.Join(
                ' ', Enumerable.Range(0, 6).Select(step => $"i{((user * 7) + (step * step * 3)) % Items}"))));
        using var dataset = Dataset.Open(data);
        var versions = new VersionStore(Path.Combine(_folder, "versions"));
        var options = new RebuildOptions
        {
            Embeddings = new DefaultEmbeddingOptions { Cache = Path.Combine(_folder, "cache"), Text = new("tfidf") },
            Quantizer = new QuantizerOptions { Levels = 2, CodebookSize = 4 },
            Retrieval = retrieval,
            Gates = new GateOptions { MaxCollisionShare = 1, MinPopularityRatio = 0 },
        };
        var result = await new RebuildJob(versions, new MemoryIdStore(), TimeProvider.System)
            .RunAsync(dataset, options, null, CancellationToken.None);
        return (versions.Open(result.Report.Version), new LeaveOneOut(dataset.Sequences));
    }

    private static int[] Interactions(SequenceSet sequences)
    {
        var counts = new int[Items];
        Array.ForEach(sequences.Items, item => counts[item]++);
        return counts;
    }

    private static int[] Interactions(VersionFolder folder, string part)
    {
        using var leg = TransitionLeg.Load(folder.PathOf($"{part}/{TransitionLeg.LegName}"));
        return leg.Table.Interactions;
    }

    private static string First(VersionFolder folder, string part, LeaveOneOut split)
    {
        using var recommender = new Recommender(RetrievalModel.Load(folder.PathOf(part)), folder.Items);
        return Answers(recommender, split);
    }

    private static string Served(VersionFolder folder, LeaveOneOut split, bool measured)
    {
        using var recommender = (Recommender)new RecommenderLoader(measured: measured).Load(folder, folder.Items)!;
        return Answers(recommender, split);
    }

    private static string Answers(Recommender recommender, LeaveOneOut split) => string.Join(' ', split.EvaluatedUsers.SelectMany(
        user => recommender.Recommend(new RecommendQuery(split.TestHistory(user).ToArray(), 5), CancellationToken.None))
        .Select(answer => FormattableString.Invariant($"{answer.Item}:{answer.Score:R}")));
}
