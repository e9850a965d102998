using Recsys.Catalog;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Datasets;

namespace Recsys.Cli.Tests.Demo.Shoppers;

public sealed class SimulatedDatasetTests
{
    private static readonly StickerShopperOptions Few = new() { Shoppers = 300 };

    [Fact]
    public void It_reads_back_as_a_dataset_that_says_simulated()
    {
        using var folder = new TemporaryFolder();

        var (shopping, best) = SimulatedDataset.Write(Stickers.Folder, folder["ds"], Few);

        using var dataset = Dataset.Open(folder["ds"]);
        Assert.True(dataset.Description.Simulated);
        Assert.Equal("stickers-simulated", dataset.Name);
        Assert.Equal(shopping.Sequences.Items, dataset.Sequences.Items);
        Assert.Equal(shopping.Sequences.Users, dataset.Sequences.Users);
        Assert.Equal(new LeaveOneOut(shopping.Sequences).Sha256, new LeaveOneOut(dataset.Sequences).Sha256);
        Assert.Equal(Stickers.Items.Select(item => item.Id), dataset.ItemIds);
        Assert.True(dataset.Images!.Has(0));
        Assert.True(File.Exists(folder["ds/LICENSE"]));
        var score = new OptimalRecommender(shopping.Model).Score(new LeaveOneOut(dataset.Sequences), 5, 10);
        Assert.Equal(score.Metrics, best.Metrics);
        Assert.Equal(score["recall@10"], dataset.Description.Figures!["best_recall@10"], 6);
        Assert.Equal(score["ndcg@5"], dataset.Description.Figures["best_ndcg@5"], 6);
        Assert.Equal(300, dataset.Description.Figures["simulated_shoppers"]);
    }

    [Fact]
    public void Writing_it_again_replaces_it_with_the_same()
    {
        using var folder = new TemporaryFolder();
        SimulatedDataset.Write(Stickers.Folder, folder["ds"], Few);
        using var first = Dataset.Open(folder["ds"]);
        string before = first.Sha256;

        SimulatedDataset.Write(Stickers.Folder, folder["ds"], Few);

        using var second = Dataset.Open(folder["ds"]);
        Assert.Equal(before, second.Sha256);
    }

    [Fact]
    public void It_replaces_neither_real_data_nor_other_files()
    {
        using var folder = new TemporaryFolder()
            .With("real/dataset.json", """{"name": "real", "format": 1}""")
            .With("other/thesis.txt", "do not touch");

        Refused(Fault.FailedPrecondition, Stickers.Folder, folder["real"]);
        Refused(Fault.FailedPrecondition, Stickers.Folder, folder["other"]);
        Refused(Fault.NotFound, folder["nowhere"], folder["ds"]);
        Assert.Equal(["thesis.txt"], Directory.GetFiles(folder["other"]).Select(Path.GetFileName));
        Assert.Equal(["dataset.json"], Directory.GetFiles(folder["real"]).Select(Path.GetFileName));
        Assert.False(Directory.Exists(folder["ds"]));
    }

    private static void Refused(Fault fault, string source, string target) =>
        Assert.Equal(fault, Assert.Throws<CatalogException>(() => SimulatedDataset.Write(source, target, Few)).Fault);
}
