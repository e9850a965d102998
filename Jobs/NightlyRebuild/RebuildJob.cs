using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Catalog.Ports;
using Recsys.Datasets;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Training;
using Recsys.Embeddings;
using Recsys.Files;
using Recsys.Jobs.Quantizers;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Encoding;
using Recsys.Retrieval;
using Recsys.Retrieval.Training;
using Recsys.Torch;

namespace Recsys.Jobs.NightlyRebuild;

/// <param name="Activated">Whether the version is the active one now.</param>
/// <param name="Previous">What was active before.</param>
public sealed record RebuildResult(RebuildReport Report, bool Activated, string? Previous);

/// <summary>
/// One rebuild: embeddings → quantizer → semantic IDs → retrieval model → creative model → gates → publish → activate by
/// compare-and-set. The last two interactions of each user are kept from every step, so that gates and evaluation are honest.
/// Killed at any point it leaves nothing that serves; run again it starts clean. On several ranks all take the same steps and train
/// together; the first alone writes, gates and publishes.
/// </summary>
/// <param name="ids">Where versions are published; null on all ranks but the first.</param>
/// <param name="ranks">The processes that train together; null: this one alone.</param>
public sealed class RebuildJob(IVersionStore versions, ISemanticIdStore? ids, TimeProvider time, Ranks? ranks = null)
{
    private readonly Ranks _ranks = ranks ?? Ranks.Alone;

    /// <summary>Sub-folders of a version, which are also the names of its parts.</summary>
    public const string CodebookFolder = "codebook", RetrievalFolder = "retrieval", CreativeFolder = "creative";

    /// <exception cref="GateException">A gate refused the version: nothing was published.</exception>
    /// <exception cref="CatalogException">Bad options or data; FailedPrecondition when another activation was faster.</exception>
    public async Task<RebuildResult> RunAsync(
        Dataset dataset, RebuildOptions options, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        options.Validate();
        _ranks.CheckAlike(Convert.ToUInt32(dataset.Sha256[..8], 16), $"the dataset '{dataset.Name}'");
        var split = dataset.HasSequences ? new LeaveOneOut(dataset.Sequences) : null;
        using var checkpoints = TrainingFiles.Take(versions.Root, dataset, options, time, _ranks);
        string? active = _ranks.Broadcast(ids is null ? null : await ids.ActiveAsync(cancel));
        var run = new Run(dataset, split, options, new StageRecorder(progress, time), active, checkpoints, cancel);
        var writer = Begin(dataset, options);
        try
        {
            var (report, items, choices) = await Task.Run(() => Build(run, fitAll: false, writer), cancel);
            if (options.FitAll && split is not null)
            {
                // The gates have judged a model that had not seen what they asked for; what is published may learn from all of it.
                var judged = report;
                writer?.Dispose();
                writer = Begin(dataset, options);
                (report, items, _) = await Task.Run(() => Build(run, fitAll: true, writer, choices), cancel);
                report = report with { Gates = judged.Gates, Validation = judged.Validation };
            }

            var result = writer is null || ids is null
                ? new RebuildResult(report, false, active)
                : await PublishAsync(run, report, items, writer, ids);
            checkpoints.Delete();
            return result;
        }
        finally
        {
            writer?.Dispose();
        }
    }

    /// <summary>What all steps of a rebuild look at.</summary>
    /// <param name="Active">The version that was active when it began.</param>
    private sealed record Run(
        Dataset Dataset, LeaveOneOut? Split, RebuildOptions Options, StageRecorder Stages, string? Active, TrainingFiles Checkpoints,
        CancellationToken Cancel);

    private static async Task<RebuildResult> PublishAsync(
        Run run, RebuildReport report, ItemTable items, IVersionWriter writer, ISemanticIdStore ids)
    {
        var (stages, active) = (run.Stages, run.Active);
        AtomicFile.WriteText(writer.PathOf(RebuildReport.FileName), report.ToJson());
        if (run.Split is { } split && !report.FitAll)
        {
            HeldOutEvents.Write(writer, run.Dataset, run.Options.Retrieval.Open ? split.TrainAndValidation : split.Train);
        }

        var description = new VersionDescription(
            report.Dataset, report.Seed, [.. items.CodebookSizes], items.Count, Metrics(report), run.Dataset.EventsUntil);
        var folder = stages.Time("seal", () => writer.Seal(description));
        await ids.PublishAsync(folder.Version, folder.Items, run.Cancel);
        stages.Report(new StageProgress("publish", 1, 1));
        if (!run.Options.Activate)
        {
            return new RebuildResult(report with { Stages = stages.Times }, false, active);
        }

        return await ids.TryActivateAsync(active, folder.Version, run.Cancel)
            ? new RebuildResult(report with { Stages = stages.Times }, true, active)
            : throw CatalogException.Precondition(
                $"{folder.Version} is published but not active: while it was built another version than {active ?? "none"} became "
                + $"active. Compare them, then run 'recsys versions activate {folder.Version}'.");
    }

    /// <param name="choices">With <paramref name="fitAll"/>: what the honest training chose, which this one has nothing left to choose
    /// by.</param>
    private (RebuildReport Report, ItemTable Items, RetrievalChoices? Choices) Build(
        Run run, bool fitAll, IVersionWriter? writer, RetrievalChoices? choices = null)
    {
        var training = fitAll ? run.Split?.All : run.Split?.Train;
        var embedded = run.Stages.Time(
            "embeddings",
            () => _ranks.FirstBeforeOthers(() => DatasetVectors.Embed(
                run.Dataset, run.Options.Embeddings, run.Stages, run.Cancel, fitAll ? training : null)));
        var embeddings = DatasetVectors.Vectors(embedded);
        var (before, note) = ActiveCodes.Find(versions, run.Active, run.Dataset, fitAll, embeddings, run.Options);
        var fused = NightlyCodes.Fuse(embeddings, run.Dataset.ItemIds, before, run.Options.Quantizer);
        uint sum = fused.Data.Aggregate(0u, (hash, value) => (hash * 31) + BitConverter.SingleToUInt32Bits(value));
        _ranks.CheckAlike(sum, "the checksum of the embeddings");
        var features = run.Stages.Time(
            "features", () => DatasetVectors.Features(run.Dataset, embeddings, run.Options.Embeddings, run.Cancel));
        var (items, quantizer, origin) = Quantise(run, fused, before, note, writer);
        var gates = new List<GateResult>(Gates.OfCodes(items, quantizer, run.Options.Gates));
        JsonObject? validation = null;
        if (training is not null)
        {
            var data = fitAll
                ? new RetrievalTrainingData { Items = items, Training = training, Features = features, Choices = choices }
                : RetrievalTrainingData.From(items, run.Split!, features);
            var model = TrainRetrieval(run, data, fitAll ? "retrieval-all" : RetrievalFolder);
            Save(writer, RetrievalFolder, model.Save);
            choices = model.Choices;
            using var recommender = new Recommender(model, items); // owns the model
            if (!fitAll && writer is not null)
            {
                (validation, var recall) = run.Stages.Time("gates", () => Gates.OfRecall(
                    recommender, run.Split!, versions, run.Active, run.Dataset.Name, run.Options, run.Stages, run.Cancel));
                gates.AddRange(recall);
            }
        }

        Refuse(writer, gates); // before the longest step: a picture model cannot mend the codes
        if (training is not null && !fitAll && run.Options.Retrieval.Open)
        {
            var data = new RetrievalTrainingData
            {
                Items = items, Training = run.Split!.TrainAndValidation, Features = features, Choices = choices,
            };
            using var open = TrainRetrieval(run, data, RetrievalModel.OpenFolder, "open ");
            Save(writer, RetrievalModel.OpenFolder, open.Save);
        }

        TrainCreative(run, fitAll, items, writer);
        var report = new RebuildReport
        {
            Version = writer?.Version ?? "",
            Dataset = run.Dataset.Name,
            DatasetSha256 = run.Dataset.Sha256,
            SplitSha256 = run.Split?.Sha256,
            Seed = run.Options.Seed,
            FitAll = fitAll,
            Machine = Machine.Description,
            Stages = run.Stages.Times,
            Curves = run.Stages.Curves,
            Embeddings = [.. embedded.Select(EmbeddingSummary.Of)],
            Quantizer = quantizer,
            Codebook = origin,
            Validation = validation,
            Gates = gates,
        };
        return (report, items, choices);
    }

    private (ItemTable Items, QuantizerReport Report, CodebookOrigin Origin) Quantise(
        Run run, FusedEmbeddings fused, EarlierCodes? before, string? note, IVersionWriter? writer)
    {
        var (dataset, options) = (run.Dataset, run.Options);
        var codes = run.Stages.Time(
            "quantizer", () => NightlyCodes.Make(
                fused, dataset.ItemIds, before, note, options.Quantizer, options.Seed, run.Stages, run.Cancel, options.Device, _ranks));
        using var codebook = codes.Codebook;
        _ranks.CheckAlike(codes.Ids.Aggregate(0u, (hash, id) => (hash * 31) + (uint)id.GetHashCode()), "the semantic IDs");
        var items = new ItemTable(
            dataset.ItemIds, codes.Ids, [.. dataset.ReadItems().Select(item => item.Title)], codebook.Sizes,
            ItemAttributes.Of(dataset.ReadItems()));
        string distinct = $"{codes.Report.DistinctCodes} distinct of {codes.Report.Items}";
        run.Stages.Report(new StageProgress("encode", fused.Count, fused.Count, $"{distinct}; {codes.Origin.Summary}"));
        Save(writer, CodebookFolder, codebook.Save);
        writer?.WriteItems(items);
        return (items, codes.Report, codes.Origin);
    }

    /// <param name="prefix">Before the names of the legs' stages, so that a second training is seen beside the first.</param>
    private RetrievalModel TrainRetrieval(Run run, RetrievalTrainingData data, string stage, string prefix = "") =>
        run.Stages.Time(stage, () => RetrievalTrainer.Train(
            data, run.Options.Retrieval, run.Options.Seed, run.Stages.Named(prefix), run.Checkpoints.Of(stage), run.Options.Device, _ranks,
            run.Cancel));

    private void Refuse(IVersionWriter? writer, List<GateResult> gates)
    {
        if (writer is not null && !gates.TrueForAll(gate => gate.Passed))
        {
            Gates.Note(versions, writer.Version, gates);
            throw new GateException(writer.Version, gates);
        }
    }

    private void TrainCreative(Run run, bool fitAll, ItemTable items, IVersionWriter? writer)
    {
        if (!TrainsPictures(run.Dataset, run.Options))
        {
            return;
        }

        var options = run.Options.Creative;
        using var creative = run.Stages.Time("creative", () => CreativeTrainer.Train(
            CreativeTrainingData.Load(
                run.Dataset.Images!, [.. items.SemanticIds], [.. items.CodebookSizes], options.ImageSize, run.Cancel),
            options, run.Options.Seed, run.Stages, run.Checkpoints.Of(fitAll ? "creative-all" : CreativeFolder), run.Options.Device,
            _ranks, run.Cancel));
        Save(writer, CreativeFolder, creative.Save);
    }

    /// <summary>Whether a rebuild trains a creative model: pictures are wanted, and an item has one.</summary>
    public static bool TrainsPictures(Dataset dataset, RebuildOptions options) =>
        options.Pictures && dataset.Images is { } images && Enumerable.Range(0, dataset.ItemCount).Any(images.Has);

    private static void Save(IVersionWriter? writer, string part, Action<string> save)
    {
        if (writer is not null)
        {
            save(Directory.CreateDirectory(writer.PathOf(part)).FullName);
        }
    }

    private static Dictionary<string, double> Metrics(RebuildReport report) =>
        report.Gates.ToDictionary(gate => gate.Name, gate => gate.Value);

    private IVersionWriter? Begin(Dataset dataset, RebuildOptions options)
    {
        if (!_ranks.First)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var tail = SHA256.HashData(Encoding.UTF8.GetBytes($"{dataset.Name}/{options.Seed}/{now.Ticks}"));
        return versions.Begin($"v{now:yyyyMMdd-HHmmss}-{Convert.ToHexStringLower(tail)[..6]}");
    }
}
