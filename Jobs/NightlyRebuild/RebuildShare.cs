using Recsys.Catalog;
using Recsys.Catalog.Datasets;
using Recsys.Diffusion;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Retrieval;
using Recsys.Retrieval.Training;

namespace Recsys.Jobs;

/// <summary>
/// What a rank other than 0 does for a rebuild: the same trainings in the same order, with its share of every batch. It reads the dataset
/// and rank 0's checkpoints (the same files, or a shared file system), and writes nothing.
/// </summary>
/// <param name="versions">Rank 0's folder of versions.</param>
public sealed class RebuildShare(string versions, IRanks ranks)
{
    /// <exception cref="CatalogException">Bad options or data.</exception>
    public void Run(Dataset dataset, RebuildOptions options, CancellationToken cancel)
    {
        options.Validate();
        var split = dataset.HasSequences ? new LeaveOneOut(dataset.Sequences) : null;
        if (Train(dataset, split, fitAll: false, options, cancel) && options.FitAll && split is not null)
        {
            Train(dataset, split, fitAll: true, options, cancel);
        }
    }

    /// <returns>Whether the gates have passed.</returns>
    private bool Train(Dataset dataset, LeaveOneOut? split, bool fitAll, RebuildOptions options, CancellationToken cancel)
    {
        var training = fitAll ? split?.All : split?.Train;
        var embeddings = NightlyRebuild.Embed(dataset, fitAll ? training : null, options, ranks, null, cancel);
        var fused = Fusion.Fit(embeddings, options.Quantizer.Fusion).Apply(embeddings);
        using var codebook = QuantizerTrainer.Train(fused, options.Quantizer, options.Seed, null, cancel);
        var (items, _) = NightlyRebuild.Encode(dataset, codebook, fused, null);
        if (training is not null)
        {
            var data = new RetrievalTrainingData { Items = items, Training = training, Features = new EmbeddingMatrix("fused", fused.Dim, fused.Data, fused.Present) };
            RetrievalTrainer.Train(data, options.Retrieval with { Device = options.Device }, options.Seed, null, TrainingFiles.Retrieval(versions, fitAll, options), cancel).Dispose();
        }

        if (!ranks.Agree(false))
        {
            return false;
        }

        if (NightlyRebuild.HasPictures(dataset, options))
        {
            CreativeTrainer.Train(
                CreativeTrainingData.Load(dataset.Images!, [.. items.SemanticIds], [.. items.CodebookSizes], options.Creative.ImageSize, cancel),
                options.Creative, options.Seed, null, TrainingFiles.Creative(versions, fitAll, options), cancel).Dispose();
        }

        return true;
    }
}
