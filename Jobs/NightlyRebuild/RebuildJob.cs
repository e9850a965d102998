using System.Security.Cryptography;
using System.Text;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Datasets;
using Recsys.Diffusion.Training;
using Recsys.Embeddings;
using Recsys.Files;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Retrieval;
using Recsys.Retrieval.Training;

namespace Recsys.Jobs.NightlyRebuild;

/// <param name="Activated">Whether the version is the active one now.</param>
/// <param name="Previous">What was active before.</param>
public sealed record RebuildResult(RebuildReport Report, bool Activated, string? Previous);

/// <summary>
/// One rebuild: embeddings → quantizer → semantic IDs → retrieval model → creative model → gates → publish → activate by
/// compare-and-set. The last two interactions of each user are kept from every step, so that gates and evaluation are honest.
/// Killed at any point it leaves nothing that serves; run again it starts clean.
/// </summary>
public sealed class RebuildJob(IVersionStore versions, ISemanticIdStore ids, TimeProvider time)
{
    /// <summary>Sub-folders of a version, which are also the names of its parts.</summary>
    public const string CodebookFolder = "codebook", RetrievalFolder = "retrieval", CreativeFolder = "creative";

    /// <exception cref="GateException">A gate refused the version: nothing was published.</exception>
    /// <exception cref="CatalogException">Bad options or data; FailedPrecondition when another activation was faster.</exception>
    public async Task<RebuildResult> RunAsync(
        Dataset dataset, RebuildOptions options, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        options.Validate();
        string? active = await ids.ActiveAsync(cancel);
        var stages = new StageRecorder(progress, time);
        var split = dataset.HasSequences ? new LeaveOneOut(dataset.Sequences) : null;
        var writer = versions.Begin(NewVersion(dataset, options));
        try
        {
            var (report, items) = await Task.Run(
                () => Build(dataset, split, fitAll: false, options, writer, stages, active, cancel), cancel);
            if (options.FitAll && split is not null)
            {
                // The gates have judged a model that had not seen what they asked for; what is published may learn from all of it.
                var judged = report;
                writer.Dispose();
                writer = versions.Begin(NewVersion(dataset, options));
                (report, items) = await Task.Run(
                    () => Build(dataset, split, fitAll: true, options, writer, stages, active, cancel), cancel);
                report = report with { Gates = judged.Gates, Validation = judged.Validation };
            }

            var result = await PublishAsync(report, items, writer, options, stages, active, cancel);
            TrainingFiles.Delete(versions.Root);
            return result;
        }
        finally
        {
            writer.Dispose();
        }
    }

    private async Task<RebuildResult> PublishAsync(
        RebuildReport report, ItemTable items, IVersionWriter writer, RebuildOptions options, StageRecorder stages, string? active, CancellationToken cancel)
    {
        AtomicFile.WriteText(writer.PathOf(RebuildReport.FileName), report.ToJson());
        var folder = stages.Time(
            "seal",
            () =>
                writer.Seal(new VersionDescription(report.Dataset, options.Seed, [.. items.CodebookSizes], items.Count, Metrics(report))));
        await ids.PublishAsync(folder.Version, folder.Items, cancel);
        stages.Report(new StageProgress("publish", 1, 1));
        if (!options.Activate)
        {
            return new RebuildResult(report with { Stages = stages.Times }, false, active);
        }

        return await ids.TryActivateAsync(active, folder.Version, cancel)
            ? new RebuildResult(report with { Stages = stages.Times }, true, active)
            : throw CatalogException.Precondition(
                $"{folder.Version} is published but not active: while it was built another version than {active ?? "none"} became "
                + $"active. Compare them, then run 'recsys versions activate {folder.Version}'.");
    }

    private (RebuildReport Report, ItemTable Items) Build(
        Dataset dataset, LeaveOneOut? split, bool fitAll, RebuildOptions options, IVersionWriter writer, StageRecorder stages, string? active, CancellationToken cancel)
    {
        var training = fitAll ? split?.All : split?.Train;
        var embedded = stages.Time("embeddings", () => Embed(dataset, fitAll ? training : null, options, stages, cancel));
        var embeddings = embedded.Select(embedding => embedding.Vectors).OfType<EmbeddingMatrix>().ToList();
        var fused = Fusion.Fit(embeddings, options.Quantizer.Fusion).Apply(embeddings);

        using var codebook = stages.Time("quantizer", () => QuantizerTrainer.Train(
            fused, options.Quantizer, options.Seed, stages, cancel, options.Device));
        var (items, quantizer) = stages.Time("encode", () => Encode(dataset, codebook, fused, stages));
        codebook.Save(Part(writer, CodebookFolder));
        writer.WriteItems(items);

        var gates = new List<GateResult>(Gates.OfCodes(items, quantizer, options.Gates));
        System.Text.Json.Nodes.JsonObject? validation = null;
        if (training is not null && split is not null)
        {
            var features = new EmbeddingMatrix("fused", fused.Dim, fused.Data, fused.Present);
            var data = fitAll
                ? new RetrievalTrainingData { Items = items, Training = training, Features = features }
                : RetrievalTrainingData.From(items, split, features);
            var model = stages.Time(
                "retrieval",
                () =>
                    RetrievalTrainer.Train(
                        data, options.Retrieval, options.Seed, stages, TrainingFiles.Retrieval(versions.Root, fitAll, options),
                        options.Device, cancel));
            using var recommender = new Recommender(model, items); // owns the model
            model.Save(Part(writer, RetrievalFolder));
            if (!fitAll)
            {
                (validation, var recall) = stages.Time(
                    "gates", () => Gates.OfRecall(recommender, split, versions, active, dataset.Name, options, stages, cancel));
                gates.AddRange(recall);
            }
        }

        // Refused before the longest step: a picture model cannot mend the codes.
        if (!gates.TrueForAll(gate => gate.Passed))
        {
            Gates.Note(versions, writer.Version, gates);
            throw new GateException(writer.Version, gates);
        }

        if (TrainsPictures(dataset, options))
        {
            using var creative = stages.Time("creative", () => CreativeTrainer.Train(
                CreativeTrainingData.Load(
                    dataset.Images!, [.. items.SemanticIds], [.. items.CodebookSizes], options.Creative.ImageSize,
                    cancel), options.Creative, options.Seed, stages, TrainingFiles.Creative(versions.Root, fitAll, options),
                options.Device, cancel));
            creative.Save(Part(writer, CreativeFolder));
        }

        return (new RebuildReport
        {
            Version = writer.Version,
            Dataset = dataset.Name,
            DatasetSha256 = dataset.Sha256,
            SplitSha256 = split?.Sha256,
            Seed = options.Seed,
            FitAll = fitAll,
            Machine = Machine.Description,
            Stages = stages.Times,
            Curves = stages.Curves,
            Embeddings = [.. embedded.Select(EmbeddingSummary.Of)],
            Quantizer = quantizer,
            Validation = validation,
            Gates = gates,
        }, items);
    }

    /// <summary>Brought embeddings as they are, default ones where the dataset lacks them; under --fit-all the collaborative one learns
    /// from everything.</summary>
    private static IReadOnlyList<DatasetEmbedding> Embed(
        Dataset dataset, SequenceSet? everything, RebuildOptions options, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        var embeddings = DefaultEmbeddings.Of(dataset, options.Embeddings, progress, cancel, everything);
        return embeddings.Any(embedding => embedding.Vectors is not null) ? embeddings : throw CatalogException.Precondition(
            $"Dataset '{dataset.Name}' has no embeddings and nothing to make default ones from (no text, no interactions, no pictures). "
            + "Bring embeddings/NAME.npy.");
    }

    private static (ItemTable Items, QuantizerReport Report) Encode(
        Dataset dataset, Codebook codebook, FusedEmbeddings fused, IProgress<StageProgress>? progress)
    {
        var (assigned, report) = codebook.EncodeCatalogue(fused);
        var items = new ItemTable(dataset.ItemIds, assigned, [.. dataset.ReadItems().Select(item => item.Title)], codebook.Sizes);
        progress?.Report(new StageProgress("encode", fused.Count, fused.Count, $"{report.DistinctCodes} distinct of {report.Items}"));
        return (items, report);
    }

    /// <summary>Whether a rebuild trains a creative model: pictures are wanted, and an item has one.</summary>
    public static bool TrainsPictures(Dataset dataset, RebuildOptions options) =>
        options.Pictures && dataset.Images is { } images && Enumerable.Range(0, dataset.ItemCount).Any(images.Has);

    private static string Part(IVersionWriter writer, string name) => Directory.CreateDirectory(writer.PathOf(name)).FullName;

    private static Dictionary<string, double> Metrics(RebuildReport report) =>
        report.Gates.ToDictionary(gate => gate.Name, gate => gate.Value);

    private string NewVersion(Dataset dataset, RebuildOptions options)
    {
        var now = time.GetUtcNow();
        var tail = SHA256.HashData(Encoding.UTF8.GetBytes($"{dataset.Name}/{options.Seed}/{now.Ticks}"));
        return $"v{now:yyyyMMdd-HHmmss}-{Convert.ToHexStringLower(tail)[..6]}";
    }
}
