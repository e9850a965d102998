using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;

namespace Recsys.Cli.Report;

/// <summary>A comparison and an audit as pages, with a map of code use for each level.</summary>
internal static class QuantizerPages
{
    public static string Comparison(string dataset, FusedEmbeddings fused, IReadOnlyList<QuantizerRow> rows, long seed, int steps)
    {
        var page = new ReportPage($"Ways to make semantic IDs: {dataset}");
        page.Lead($"{rows.Count} ways on the same {fused.Count:N0} items and {fused.Dim} fused values, seed {seed}.");
        var table = QuantizerTables.Comparison(rows);
        int width = table[0].Length;
        page.Table(table[0], table.Skip(1).Select(row => row.Length < width ? [.. row, .. new string[width - row.Length]] : row));
        page.Note(
            "error: squared distance to the reconstruction, of that to the mean; greedy: without the beam, at the same codebook. used, "
            + "perplexity, Gini: by level, coarse to fine. tuples: distinct ones; largest: items on one of them. NR@10: share of an item's "
            + $"10 nearest that are so by reconstruction as well. seconds: training and encoding.{(steps > 0 ? Recall(steps) : "")}");
        page.Heading("Use of the codes");
        page.Note("One square a code: the darker, the more items have it; hollow squares are unused. Point at one for its count.");
        foreach (var row in rows)
        {
            if (row.Report is { } report)
            {
                page.Paragraph(row.Name);
                page.Charts(report.Levels.Select((level, index) => Chart.Usage(
                    $"level {index}: {level.Used} of {level.Size} in use, as evenly as {level.Perplexity:F0} equal ones", level.Counts)));
            }
        }

        return page.Html();
    }

    public static string Audit(SemanticIdAudit audit)
    {
        var page = new ReportPage($"Semantic IDs of {audit.Version}");
        page.Lead($"{audit.Items:N0} items, {string.Join(" × ", audit.Sizes)} codes.");
        page.Table(["figure", "value"], QuantizerTables.Figures(audit).Select(figure => (string[])[figure.Name, figure.Value]));
        page.Heading("Levels");
        var levels = QuantizerTables.Levels(audit);
        page.Table(levels[0], levels.Skip(1));
        page.Charts(audit.Levels.Select((level, index) => Chart.Usage(
            $"level {index}: {level.Used} of {level.Size} in use, as evenly as {level.Perplexity:F0} equal ones", level.Counts)));
        page.Heading("Tuples by the number of their items");
        page.Table(["items", "tuples"], audit.Aliasing.GroupSizes.Select(group => (string[])[$"{group.Key}", $"{group.Value}"]));
        return page.Html();
    }

    private static string Recall(int steps) =>
        $" R@10: validation recall of a small generative model after {steps} steps, which knows items by their codes alone.";
}
