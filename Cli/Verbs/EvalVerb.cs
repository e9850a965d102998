using System.CommandLine;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Cli.Report;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Files;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;
using Recsys.Store.Versions;

namespace Recsys.Cli.Verbs;

/// <summary>Measures a version on a dataset's held-out targets; reads version folders only, no Redis and no server.</summary>
internal static class EvalVerb
{
    private static readonly Option<string?> Against =
        VerbOption.Of<string?>("--against", "Another version, compared user by user (paired bootstrap).");
    private static readonly Option<int> Users = VerbOption.Of<int>("--users", "Users, drawn by the seed; 0: all.");
    private static readonly Option<int> Beam = VerbOption.Of<int>("--beam", "Width of the beam search; 0: the model's own.");
    private static readonly Option<int?> Exhaustive = VerbOption.Of<int?>(
        "--exhaustive", "Also compares the beam with a search of every item, for so many users, drawn by the seed; 0: all.");
    private static readonly Option<long> Seed = VerbOption.Of<long>("--seed", "Draws the users.", 1);
    private static readonly Option<string> Target = VerbOption.Of("--target", "test or validation.", "test");
    private static readonly Option<string?> Html = VerbOption.Of<string?>("--html", "Also writes all of it as one page into this file.");

    public static Command Create()
    {
        var command = new Command("eval", "Recall@K and NDCG@K on held-out targets, with baselines, slices, calibration and comparison.")
        {
            FolderOptions.Data, FolderOptions.Versions, FolderOptions.Version, Against, Users, Beam, Exhaustive, Target, Seed, Html,
            DeviceOption.Device, DatasetOptions.DropUnknown, EvalTableVerb.Create(),
        };
        command.OnCompute((parsed, cancel) => Task.Run(() => Run(parsed, cancel), cancel));
        return command;
    }

    private static VerbResult Run(ParseResult parsed, CancellationToken cancel)
    {
        var options = Options(parsed);
        string? page = parsed.GetValue(Html) is { } file ? Path.GetFullPath(file) : null;
        if (page is not null && !Directory.Exists(Path.GetDirectoryName(page)))
        {
            throw CatalogException.NotFound($"There is no folder for --html '{page}': make it, or name another file.");
        }

        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        var versions = new VersionStore(Path.GetFullPath(parsed.GetValue(FolderOptions.Versions)!));
        var split = new LeaveOneOut(dataset.Sequences);
        string device = parsed.DeviceOr("cpu");
        var folder = versions.Open(parsed.VersionIn(versions));
        var rebuild = RefuseLeak(folder, split, dataset);
        var other = parsed.GetValue(Against) is { } against ? versions.Open(against) : null;
        if (other is not null)
        {
            RefuseLeak(other, split, dataset);
        }

        using var progress = new ProgressView();
        var report = Measure(folder, device, split, options, progress, cancel);
        var before = other is null
            ? null
            : Measure(other, device, split, options with { Legs = false, Baselines = false, Exhaustive = null }, progress, cancel);
        var result = new EvalResult(
            dataset.Name, dataset.Sha256, folder.Version, rebuild.Seed, report,
            report.Protocols.ToDictionary(one => one.Protocol, one => ProtocolAnalysis.Of(one, split, folder.Items, options)),
            other?.Version,
            [.. report.Protocols.Join(
                before?.Protocols ?? [], one => one.Protocol, one => one.Protocol,
                (one, another) => PairedComparison.Of(one, another, options.Seed)).SelectMany(pair => pair)]);
        if (page is not null)
        {
            AtomicFile.WriteText(page, EvalText.Html(result));
        }

        return new VerbResult(result.ToJson(), output => EvalText.Print(output, result));
    }

    /// <summary>What is asked of the model that has learned from the validation targets stands under the open protocol; there is none where
    /// the version has no such model, or where those are the targets.</summary>
    private static EvaluationReport Measure(
        VersionFolder folder, string device, LeaveOneOut split, EvaluationOptions options, IProgress<StageProgress> progress,
        CancellationToken cancel)
    {
        using var measured = (Recommender?)new RecommenderLoader(device, measured: true).Load(folder, folder.Items)
            ?? throw CatalogException.Precondition($"Version {folder.Version} has no retrieval model: its dataset had no interactions.");
        var report = RetrievalEvaluator.Evaluate(measured, split, options, progress, cancel);
        if (options.Target != EvaluationTarget.Test || !folder.Has($"{RetrievalModel.OpenFolder}/config.json"))
        {
            return report;
        }

        using var open = (Recommender)new RecommenderLoader(device).Load(folder, folder.Items)!;
        return report with { Open = RetrievalEvaluator.EvaluateOpen(open, split, options, report.Chosen, progress, cancel) };
    }

    private static EvaluationOptions Options(ParseResult parsed) => new()
    {
        Users = parsed.GetValue(Users),
        Beam = parsed.GetValue(Beam),
        Seed = parsed.GetValue(Seed),
        Exhaustive = parsed.GetValue(Exhaustive),
        Target = parsed.GetValue(Target) switch
        {
            "test" => EvaluationTarget.Test,
            "validation" => EvaluationTarget.Validation,
            var other => throw CatalogException.Invalid($"--target '{other}': write test or validation."),
        },
    };

    /// <summary>A version that was trained on other users' sequences, or on the targets themselves, must not be scored on them.</summary>
    private static RebuildReport RefuseLeak(VersionFolder folder, LeaveOneOut split, Dataset dataset)
    {
        var report = RebuildReport.FromJson(File.ReadAllText(folder.PathOf(RebuildReport.FileName)));
        if (report.FitAll)
        {
            throw CatalogException.Precondition(
                $"Version {folder.Version} was trained with --fit-all: it has seen the held-out targets, so no number on them would be "
                + "honest. Evaluate a version that was not.");
        }

        if (report.SplitSha256 != split.Sha256)
        {
            throw CatalogException.Precondition(
                $"Version {folder.Version} was built on another split (sha256 {report.SplitSha256}) than dataset '{dataset.Name}' has "
                + $"now ({split.Sha256}): what it learned from may hold today's targets. Rebuild first.");
        }

        for (int item = 0; item < dataset.ItemCount; item++)
        {
            if (item >= folder.Items.Count || folder.Items.Ids[item] != dataset.ItemIds[item])
            {
                throw CatalogException.Precondition(
                    $"Item {item} of dataset '{dataset.Name}' is '{dataset.ItemIds[item]}', not version {folder.Version}'s. Rebuild "
                    + "first.");
            }
        }

        return report;
    }
}
