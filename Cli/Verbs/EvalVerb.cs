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
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The dataset folder.", Required = true };
        var root = new Option<string>("--versions") { Description = "Folder of versions.", DefaultValueFactory = _ => "versions" };
        var version = new Option<string?>("--version-id") { Description = "The version (default: the newest)." };
        var users = new Option<int>("--users") { Description = "Users, drawn by the seed; 0: all." };
        var beam = new Option<int>("--beam") { Description = "Width of the beam search; 0: the model's own." };
        var target = new Option<string>("--target") { Description = "test or validation.", DefaultValueFactory = _ => "test" };
        var seed = new Option<long>("--seed") { DefaultValueFactory = _ => 1 };
        var device = DeviceOption.Create();
        var command = new Command(
            "eval",
            "Recall@K and NDCG@K on held-out targets, item level, with baselines.") { data, root, version, users, beam, target, seed, device,
            DatasetOptions.DropUnknown };
        command.OnCompute((parsed, cancel) => Task.Run(() =>
        {
            using var dataset = parsed.Open(parsed.GetValue(data)!);
            var versions = new VersionStore(Path.GetFullPath(parsed.GetValue(root)!));
            string chosen = parsed.GetValue(version) ?? versions.List() switch { [.., var newest] => newest.Version, _ => null }

                    ?? throw CatalogException.NotFound($"There is no version in '{versions.Root}'. Build one: ./recsys rebuild --data {dataset.Path} --out {versions.Root}.");
            var folder = versions.Open(chosen);
            var split = new LeaveOneOut(dataset.Sequences);
            RefuseLeak(folder, split, dataset);
            using var recommender = (Recommender?)new RecommenderLoader(DeviceOption.Of(parsed, device)).Load(folder, folder.Items)
                ?? throw CatalogException.Precondition($"Version {chosen} has no retrieval model: its dataset had no interactions.");
            var options = new EvaluationOptions
            {
                Users = parsed.GetValue(users),
                Beam = parsed.GetValue(beam),
                Seed = parsed.GetValue(seed),
                Target = parsed.GetValue(target) switch
                {
                    "test" => EvaluationTarget.Test,
                    "validation" => EvaluationTarget.Validation,
                    var other => throw CatalogException.Invalid($"--target '{other}': write test or validation."),
                },
            };
            EvaluationReport report;
            using (var progress = new ProgressView())
            {
                report = RetrievalEvaluator.Evaluate(recommender, split, options, progress, cancel);
            }

            var json = report.ToJson();
            json["version"] = chosen;
            json["dataset"] = dataset.Name;
            json["dataset_sha256"] = dataset.Sha256;
            return new VerbResult(json, output => Print(output, report, chosen, dataset));
        }, cancel));
        return command;
    }

    /// <summary>A version that was trained on other users' sequences, or on the targets themselves, must not be scored on them.</summary>
    private static void RefuseLeak(Catalog.Ports.VersionFolder folder, LeaveOneOut split, Dataset dataset)
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

    private static void Print(TextWriter output, EvaluationReport report, string version, Dataset dataset)
    {
        output.WriteLine(
            $"{dataset.Name}, version {version}: {report.Users} users, "
            + $"{(report.Target == EvaluationTarget.Test ? "test" : "validation")} targets, item level, beam {report.Beam}, seed "
            + $"{report.Seed}");
        output.WriteLine($"split sha256 {report.SplitSha256}");
        output.WriteLine($"invalid {report.Invalid}, duplicates {report.Duplicates}");
        output.WriteLine();
        output.WriteLine($"{"",-44} {"R@5",7} {"N@5",7} {"R@10",7} {"N@10",7}   R@10, 95 %");
        Row("recsys, nothing removed", report.ItemLevel.NothingRemoved);
        Row("recsys, history's items removed", report.ItemLevel.SeenRemoved);
        Row("recsys, code level (compare with no item level)", report.CodeLevel.NothingRemoved);
        foreach (var (name, rows) in report.Baselines)
        {
            Row($"{name}, nothing removed", rows.NothingRemoved);
            Row($"{name}, history's items removed", rows.SeenRemoved);
        }

        void Row(string label, MetricRow? row)
        {
            if (row is not null)
            {
                var recall = row.Metrics["recall@10"];
                output.WriteLine(
                    $"{label,-44} {row["recall@5"],7:F4} {row["ndcg@5"],7:F4} {row["recall@10"],7:F4} {row["ndcg@10"],7:F4}   "
                    + $"{recall.Low:F4} to {recall.High:F4}");
            }
        }
    }
}
