using System.CommandLine;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;
using Recsys.Store.Versions;

namespace Recsys.Cli.Verbs;

/// <summary>Recall and NDCG of a version on a dataset's held-out test targets; reads version folders only, no Redis and no
/// server.</summary>
internal static class EvalVerb
{
    private static readonly Option<string?> Version = VerbOption.Of<string?>("--version-id", "The version (default: the newest).");
    private static readonly Option<int> Users = VerbOption.Of<int>("--users", "Users, drawn by the seed; 0: all.");
    private static readonly Option<int> Beam = VerbOption.Of<int>("--beam", "Width of the beam search; 0: the model's own.");
    private static readonly Option<long> Seed = VerbOption.Of<long>("--seed", "Draws the users.", 1);
    private static readonly Option<string> Target = VerbOption.Of("--target", "test or validation.", "test");

    public static Command Create()
    {
        var command = new Command("eval", "Recall@K and NDCG@K on held-out targets, item level, with baselines.")
        {
            FolderOptions.Data, FolderOptions.Versions, Version, Users, Beam, Target, Seed, DeviceOption.Device, DatasetOptions.DropUnknown,
        };
        command.OnCompute((parsed, cancel) => Task.Run(() => Run(parsed, cancel), cancel));
        return command;
    }

    private static VerbResult Run(ParseResult parsed, CancellationToken cancel)
    {
        var options = Options(parsed);
        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        var versions = new VersionStore(Path.GetFullPath(parsed.GetValue(FolderOptions.Versions)!));
        string version = parsed.GetValue(Version) ?? Newest(versions, dataset);
        var folder = versions.Open(version);
        var split = new LeaveOneOut(dataset.Sequences);
        RefuseLeak(folder, split, dataset);
        string device = parsed.DeviceOr("cpu");
        using var recommender = (Recommender?)new RecommenderLoader(device, measured: true).Load(folder, folder.Items)
            ?? throw CatalogException.Precondition($"Version {version} has no retrieval model: its dataset had no interactions.");
        using var progress = new ProgressView();
        var report = RetrievalEvaluator.Evaluate(recommender, split, options, progress, cancel);
        var json = report.ToJson();
        var open = Open(folder, device, split, options, progress, cancel);
        if (open.Count > 0)
        {
            json["protocols"]!["open"] = EvaluationReport.Protocol(open);
        }

        json["version"] = version;
        json["dataset"] = dataset.Name;
        json["dataset_sha256"] = dataset.Sha256;
        string name = dataset.Name;
        return new VerbResult(json, output => Print(output, report, open, version, name));
    }

    /// <summary>The rows of the model that has learned from the validation targets; none where the version has no such model, or where
    /// those are the targets.</summary>
    private static IReadOnlyDictionary<string, MetricRow> Open(
        VersionFolder folder, string device, LeaveOneOut split, EvaluationOptions options, IProgress<StageProgress> progress,
        CancellationToken cancel)
    {
        if (options.Target != EvaluationTarget.Test || !folder.Has($"{RetrievalModel.OpenFolder}/config.json"))
        {
            return new Dictionary<string, MetricRow>();
        }

        using var recommender = (Recommender)new RecommenderLoader(device).Load(folder, folder.Items)!;
        return RetrievalEvaluator.EvaluateOpen(recommender, split, options, progress, cancel);
    }

    private static EvaluationOptions Options(ParseResult parsed) => new()
    {
        Users = parsed.GetValue(Users),
        Beam = parsed.GetValue(Beam),
        Seed = parsed.GetValue(Seed),
        Target = parsed.GetValue(Target) switch
        {
            "test" => EvaluationTarget.Test,
            "validation" => EvaluationTarget.Validation,
            var other => throw CatalogException.Invalid($"--target '{other}': write test or validation."),
        },
    };

    private static string Newest(VersionStore versions, Dataset dataset) => versions.List() is [.., var newest]
        ? newest.Version
        : throw CatalogException.NotFound(
            $"There is no version in '{versions.Root}'. Build one: ./recsys rebuild --data {dataset.Path} --out {versions.Root}.");

    /// <summary>A version that was trained on other users' sequences, or on the targets themselves, must not be scored on them.</summary>
    private static void RefuseLeak(VersionFolder folder, LeaveOneOut split, Dataset dataset)
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
    }

    private static void Print(
        TextWriter output, EvaluationReport report, IReadOnlyDictionary<string, MetricRow> open, string version, string dataset)
    {
        output.WriteLine(
            $"{dataset}, version {version}: {report.Users} users, "
            + $"{(report.Target == EvaluationTarget.Test ? "test" : "validation")} targets, item level, full ranking, ties by item number, "
            + $"beam {report.Beam}, seed {report.Seed}");
        output.WriteLine($"split sha256 {report.SplitSha256}");
        output.WriteLine($"invalid {report.Invalid}, duplicates {report.Duplicates}");
        var rows = report.Legs.Concat(report.Baselines).Prepend(new(EvaluationReport.SumName, report.ItemLevel)).ToArray();
        Table("strict: trained without the validation item, nothing removed", rows.Select(row => (row.Key, row.Value.NothingRemoved)));
        Table("strict, the history's items removed", rows.Where(row => row.Value.SeenRemoved is not null)
            .Select(row => (row.Key, row.Value.SeenRemoved!)));
        Table("open: trained with the validation item, the history's items removed", open.Select(row => (row.Key, row.Value)));
        Table("strict, nothing removed, at the level of codes: no item level compares with it",
            [(EvaluationReport.SumName, report.CodeLevel.NothingRemoved)]);

        void Table(string title, IEnumerable<(string Name, MetricRow Row)> some)
        {
            if (!some.Any())
            {
                return;
            }

            output.WriteLine();
            output.WriteLine(title);
            output.WriteLine($"  {"",-14} {"R@5",7} {"N@5",7} {"R@10",7} {"N@10",7}   R@10, 95 %");
            foreach (var (name, row) in some)
            {
                var recall = row.Metrics["recall@10"];
                output.WriteLine(
                    $"  {name,-14} {row["recall@5"],7:F4} {row["ndcg@5"],7:F4} {row["recall@10"],7:F4} {row["ndcg@10"],7:F4}   "
                    + $"{recall.Low:F4} to {recall.High:F4}");
            }
        }
    }
}
