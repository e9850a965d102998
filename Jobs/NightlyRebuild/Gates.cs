using System.Text.Json;
using System.Text.Json.Nodes;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Datasets;
using Recsys.Files;
using Recsys.Quantizer.Encoding;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>Measures a new version against its bounds. Recall is asked on validation targets only: test targets choose nothing.</summary>
internal static class Gates
{
    public const string Recall = "validation_recall@10";

    public static IEnumerable<GateResult> OfCodes(ItemTable items, QuantizerReport quantizer, GateOptions options)
    {
        int found = 0;
        for (int item = 0; item < items.Count; item++)
        {
            found += items.TryIndex(items.SemanticIds[item], out int back) && back == item ? 1 : 0;
        }

        double coverage = items.Count == 0 ? 0 : (double)found / items.Count;
        double shared = items.Count == 0 ? 0 : (double)quantizer.Collisions / items.Count;
        yield return new GateResult("coverage", coverage >= options.MinCoverage, coverage, $"at least {options.MinCoverage:P0}");
        yield return new GateResult(
            "largest_collision_group", quantizer.LargestGroup <= options.MaxCollisionGroup, quantizer.LargestGroup,
            $"at most {options.MaxCollisionGroup}");
        yield return new GateResult(
            "collision_share", shared <= options.MaxCollisionShare, shared, $"at most {options.MaxCollisionShare:G3}");
        double usage = quantizer.Levels.Min(level => level.Usage), even = quantizer.Levels.Min(level => level.Perplexity / level.Size);
        yield return new GateResult(
            "code_usage", usage >= options.MinCodeUsage, usage, $"at least {options.MinCodeUsage:G3} at each level");
        yield return new GateResult(
            "code_perplexity", even >= options.MinCodePerplexity, even, $"at least {options.MinCodePerplexity:G3} of each level's codes");
    }

    public static (JsonObject Validation, IReadOnlyList<GateResult> Gates) OfRecall(
        Recommender recommender, LeaveOneOut split, IVersionStore versions, string? active, string dataset,
        RebuildOptions options, IProgress<StageProgress> progress, CancellationToken cancel)
    {
        if (split.EvaluatedUsers.Length == 0)
        {
            return ([], []);
        }

        var report = RetrievalEvaluator.Evaluate(
            recommender, split,
            new EvaluationOptions
            {
                Target = EvaluationTarget.Validation, Users = options.Gates.Users, SeenRemoved = false, Legs = false, Seed = options.Seed,
            },
            progress, cancel);
        double recall = report.ItemLevel.NothingRemoved["recall@10"];
        var hits = Array.ConvertAll(report.Plain.Item, rank => RankingMetrics.Recall(rank, 10));
        return (report.ToJson(),
        [
            new GateResult(Recall, recall >= options.Gates.MinRecall, recall, $"at least {options.Gates.MinRecall:G4}"),
            AbovePopularity(split, report.Plain.Users, hits, recommender.Items.Count, options.Gates.MinPopularityRatio),
            .. new References(versions, dataset, options).Judge(active, split, report.Plain.Users, hits, recommender.Items, cancel),
            new GateResult("invalid_answers", report.Invalid == 0, report.Invalid, "0"),
            new GateResult("duplicate_answers", report.Duplicates == 0, report.Duplicates, "0"),
        ]);
    }

    /// <param name="hits">[users] 1 where the model finds the user's validation target among its ten, else 0.</param>
    internal static GateResult AbovePopularity(LeaveOneOut split, int[] users, double[] hits, int items, double ratio)
    {
        var place = new Popularity(split.Train, items).Place;
        var popular = Array.ConvertAll(users, user => place[split.ValidationTarget(user)] < 10 ? ratio : 0);
        var (low, high) = PairedDifference.Interval(hits, popular, PairedDifference.Normal95);
        return new GateResult(
            "recall_over_popularity", high >= 0, hits.Average() - popular.Average(),
            $"an interval ({low:G4} to {high:G4}) that reaches 0; {ratio:G3} × the most popular items have {popular.Average():G4}");
    }

    /// <summary>Keeps the verdict of a refused version beside the versions, for whoever looks into it in the morning.</summary>
    public static void Note(IVersionStore versions, string version, IReadOnlyList<GateResult> gates)
    {
        string folder = Path.Combine(versions.Root, "refused");
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, version + ".json"), JsonSerializer.Serialize(new { version, gates }));
    }
}
