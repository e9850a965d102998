using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>
/// Earlier versions that a new one is held against, asked for the very targets that the new one is asked for. A later split's
/// validation targets are none that an earlier training has seen: sequences only grow. Versions that have seen everything (fit_all)
/// are held against by the recall that was recorded before.
/// </summary>
internal sealed class References(IVersionStore versions, string dataset, RebuildOptions options)
{
    private const int K = 10;

    /// <summary>The gates against the active version and the best of the latest ones.</summary>
    /// <param name="hits">[users] 1 where the new version has the target among its ten.</param>
    public IEnumerable<GateResult> Judge(
        string? active, LeaveOneOut split, int[] users, double[] hits, ItemTable items, CancellationToken cancel)
    {
        var known = versions.List()
            .Where(m => m.Description.Dataset == dataset && m.Description.Metrics.ContainsKey(Gates.Recall)).ToArray();
        if (known.FirstOrDefault(m => m.Version == active) is { } serving)
        {
            double least = options.Gates.MinRecallRatio * serving.Description.Metrics[Gates.Recall];
            if (least > 0)
            {
                yield return new GateResult("recall_ratio_active", hits.Average() >= least, hits.Average(), $"at least {least:G4}");
            }

            yield return Compare("recall_change_active", serving, PairedDifference.Normal95, split, users, hits, items, cancel);
        }

        var latest = known.TakeLast(options.Gates.ReferenceVersions).ToArray();
        var best = latest.MaxBy(m => m.Description.Metrics[Gates.Recall]);
        if (best is not null && best.Version != active)
        {
            // The best of many was picked for its figure: the interval holds for all of them at once (Bonferroni, with the normal
            // tail's bound P(Z > z) ≤ exp(−z²/2) / 2).
            double z = latest.Length == 1
                ? PairedDifference.Normal95
                : Math.Max(PairedDifference.Normal95, Math.Sqrt(2 * Math.Log(20 * latest.Length)));
            yield return Compare("recall_change_best", best, z, split, users, hits, items, cancel);
        }
    }

    private GateResult Compare(
        string name, VersionManifest reference, double z, LeaveOneOut split, int[] users, double[] hits, ItemTable items,
        CancellationToken cancel)
    {
        double recall, low, high;
        if (Hits(reference.Version, split, users, items, cancel) is { } before)
        {
            recall = before.Average();
            (low, high) = PairedDifference.Interval(hits, before, z);
        }
        else
        {
            recall = reference.Description.Metrics[Gates.Recall];
            (low, high) = PairedDifference.Unpaired(hits.Average(), recall, users.Length, z);
        }

        double loss = options.Gates.MaxRecallLoss * recall;
        return new GateResult(
            name, high >= -loss, hits.Average() - recall,
            $"an interval ({low:G4} to {high:G4}) that reaches {-loss:G4}; {reference.Version} has {recall:G4}");
    }

    /// <summary>[users] hits of an earlier version; null where it cannot be asked: damaged, without a model, or it has seen all.</summary>
    private double[]? Hits(string version, LeaveOneOut split, int[] users, ItemTable items, CancellationToken cancel)
    {
        try
        {
            var folder = versions.Open(version);
            if (!folder.Has(RebuildReport.FileName) || !folder.Has($"{RetrievalModel.PartName}/config.json")
                || RebuildReport.FromJson(File.ReadAllText(folder.PathOf(RebuildReport.FileName))).FitAll)
            {
                return null;
            }

            using var recommender = new Recommender(
                RetrievalModel.Load(folder.PathOf(RetrievalModel.PartName), options.Device), folder.Items);
            return Hits(recommender, split, users, items, cancel);
        }
        catch (Exception damaged) when (damaged is CatalogException or System.Text.Json.JsonException)
        {
            return null;
        }
    }

    // Items that the earlier version did not know are no part of a history, and as targets they are missed.
    private static double[] Hits(Recommender recommender, LeaveOneOut split, int[] users, ItemTable items, CancellationToken cancel)
    {
        var then = items.Ids.Select(id => recommender.Items.TryIndex(id, out int item) ? item : -1).ToArray();
        var hits = new double[users.Length];
        var asked = Enumerable.Range(0, users.Length)
            .Select(at => (At: at, History: Array.ConvertAll(split.ValidationHistory(users[at]).ToArray(), item => then[item])))
            .Select(query => query with { History = Array.FindAll(query.History, item => item >= 0) })
            .Where(query => query.History.Length > 0);
        foreach (var batch in asked.Chunk(new EvaluationOptions().Batch))
        {
            var answers = recommender.RecommendBatch([.. batch.Select(query => new RecommendQuery(query.History, K))], cancel);
            foreach (var (query, answer) in batch.Zip(answers))
            {
                int target = then[split.ValidationTarget(users[query.At])];
                hits[query.At] = target >= 0 && answer.Any(a => a.Item == target) ? 1 : 0;
            }
        }

        return hits;
    }
}
