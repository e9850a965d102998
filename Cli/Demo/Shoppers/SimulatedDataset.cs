using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Files;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>Makes a dataset folder of the bundled sticker catalogue and simulated shoppers; its <c>dataset.json</c> says
/// "simulated".</summary>
public static class SimulatedDataset
{
    /// <summary>
    /// Copies items and pictures, simulates the sequences, scores the optimal recommender on the leave-one-out test targets and writes
    /// its figures (<c>best_recall@5</c>, <c>best_ndcg@10</c>…), the seed and the number of shoppers into <c>dataset.json</c>.
    /// The same input gives the same files. The folder appears in full or not at all.
    /// </summary>
    /// <param name="catalogue">A dataset folder with items that have subcategories, such as <c>samples/stickers</c>.</param>
    /// <param name="folder">New, empty, or a simulated dataset from before, which is replaced.</param>
    /// <exception cref="CatalogException">The catalogue is none; the folder holds something else; an option out of its range.</exception>
    /// <returns>What was simulated, and the optimal recommender's Recall and NDCG at 5 and 10.</returns>
    public static (SimulatedShopping Shopping, MetricRow Best) Write(string catalogue, string folder, StickerShopperOptions? options = null)
    {
        options ??= new StickerShopperOptions();
        using var source = Dataset.Open(catalogue);
        bool replace = File.Exists(Path.Combine(folder, DatasetDescription.FileName));
        if (replace && !DatasetDescription.Read(folder).Simulated)
        {
            throw CatalogException.Precondition($"'{folder}' holds a dataset that is not simulated. Name another folder, or remove it.");
        }

        var shopping = StickerShoppers.Simulate(source.Items, options);
        var best = new OptimalRecommender(shopping.Model).Score(new LeaveOneOut(shopping.Sequences), 5, 10);
        var figures = best.Metrics.ToDictionary(metric => "best_" + metric.Key, metric => Math.Round(metric.Value.Value, 6));
        (figures["simulated_shoppers"], figures["simulation_seed"]) = (options.Shoppers, options.Seed);
        using var staged = new StagedFolder(folder, replace);
        foreach (string file in (string[])[ItemFile.Tsv, ItemFile.Jsonl, "images.zip", "LICENSE", "README.md"])
        {
            if (File.Exists(Path.Combine(catalogue, file)))
            {
                File.Copy(Path.Combine(catalogue, file), Path.Combine(staged.Path, file));
            }
        }

        AtomicFile.Write(
            Path.Combine(staged.Path, SequenceFile.Text), to => SequenceFile.WriteText(to, shopping.Sequences, source.ItemIds));
        new DatasetDescription(
            source.Name + "-simulated",
            Simulated: true,
            source.Description.ItemIdColumn,
            source.Description.Licence,
            source.Description.Source,
            "Shopping sequences are simulated from a stated taste model with a fixed seed; they are no one's behaviour.",
            figures).Write(staged.Path);
        staged.Complete();
        return (shopping, best);
    }
}
