using System.Globalization;
using Recsys.Jobs.Quantizers;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;

namespace Recsys.Cli.Report;

/// <summary>Comparisons and audits as rows of text, for the terminal and for pages.</summary>
internal static class QuantizerTables
{
    /// <summary>The header and a row for each way; figures of several levels stand coarse to fine.</summary>
    public static IReadOnlyList<string[]> Comparison(IReadOnlyList<QuantizerRow> rows)
    {
        bool beam = rows.Any(row => row.GreedyError is not null), retrieval = rows.Any(row => row.RetrievalRecall is not null);
        string[] header =
        [
            "way", "codes", "error", .. beam ? new[] { "greedy" } : [], "used %", "perplexity", "Gini", "tuples", "largest", "NR@10",
            "seconds", .. retrieval ? new[] { "R@10" } : [],
        ];
        return [header, .. rows.Select(row => row.Report is { } report
            ? (string[])
            [
                row.Name, Levels(report, level => N(level.Size, "F0")), N(report.ReconstructionError, "F4"),
                .. beam ? new[] { row.GreedyError is { } greedy ? N(greedy, "F4") : "" } : [],
                Levels(report, level => N(level.Usage * 100, "F0")), Levels(report, level => N(level.Perplexity, "F0")),
                Levels(report, level => N(level.Gini, "F2")), N(report.DistinctCodes, "F0"), N(report.LargestGroup, "F0"),
                N(row.NeighbourRecall ?? 0, "F4"), N(row.Seconds, "F1"),
                .. retrieval ? new[] { row.RetrievalRecall is { } recall ? N(recall, "F4") : "" } : [],
            ]
            : [row.Name, "none: " + row.Failure])];
    }

    /// <summary>The header and a row for each way to make the later night's codes; shares are of the items that both nights have. The
    /// last two columns are of the difference to the last row, over the seeds.</summary>
    public static IReadOnlyList<string[]> Stability(StabilityReport report) =>
    [
        ["later night", "error", "tuples", "codes moved", "IDs moved", "first codes moved", "R@10", "difference", "95 %"],
        .. report.Rows.Select(row =>
        {
            double[] differences = [.. row.Recall.Zip(report.Rows[^1].Recall, (mine, nothing) => mine - nothing)];
            double mean = differences.DefaultIfEmpty().Average();
            double deviation = Math.Sqrt(
                differences.Sum(one => (one - mean) * (one - mean)) / Math.Max(1, differences.Length * (differences.Length - 1)));
            return (string[])
            [
                row.Name, N(row.ReconstructionError, "F4"), $"{row.Tuples}", Percent(row.Churn.Moved),
                Percent(row.Churn.Renamed), string.Join(" / ", row.Churn.MovedPrefix!.Select(Percent)),
                row.Recall.Count == 0 ? "–" : N(row.Recall.Average(), "F4"), differences.Length == 0 ? "–" : N(mean, "F4"),
                differences.Length < 2 ? "–" : "± " + N(1.96 * deviation, "F4"),
            ];
        }),
    ];

    /// <summary>The header and a row for each embedding that was removed; figures of several levels stand coarse to fine.</summary>
    public static IReadOnlyList<string[]> Removed(IReadOnlyList<FusionRow> rows) =>
    [
        ["removed", "items", "same first codes", "neighbours of its category"],
        .. rows.Select(row => (string[])
        [
            row.Removed.Length == 0 ? "none" : row.Removed, $"{row.Items}", string.Join(" / ", row.SameCodes.Select(Percent)),
            string.Join(" / ", row.SameCategory.Select(Percent)),
        ]),
    ];

    /// <summary>An audit's figures, each with its name; those that could not be had are left out.</summary>
    public static IEnumerable<(string Name, string Value)> Figures(SemanticIdAudit audit)
    {
        var (aliasing, cost) = (audit.Aliasing, audit.Cost);
        yield return ("items", N(audit.Items, "F0"));
        yield return ("distinct tuples", N(aliasing.Tuples, "F0"));
        yield return ("items that share their tuple", $"{N(aliasing.Items, "F0")} ({Percent(aliasing.Share)})");
        yield return ("largest group", N(aliasing.LargestGroup, "F0"));
        if (aliasing.TrafficShare is { } traffic)
        {
            yield return ("interactions with items that share their tuple", Percent(traffic));
        }

        yield return ("tokens an item", N(cost.Tokens, "F0"));
        yield return ("bits an item", $"{N(cost.Bits, "F1")}; the codes tell {N(cost.EntropyBits, "F2")} of {N(cost.LeastBits, "F2")}");
        yield return ("trie nodes by level", string.Join(" / ", cost.TrieNodes.Select(nodes => N(nodes, "F0"))));
        if (audit.Neighbourhood is { } near)
        {
            yield return ("reconstruction error", N(near.ReconstructionError, "F4"));
            yield return ($"neighbour recall@{SemanticIdAudit.K}", N(near.Recall, "F4"));
            yield return ("neighbours with the same first codes", string.Join(" / ", near.SharedPrefix.Select(Percent)));
            yield return ("any two items with the same first codes", string.Join(" / ", near.ChancePrefix.Select(Percent)));
            yield return ("items that the codebook encodes as the table says", Percent(near.Reencoded));
        }

        if (audit.Generated is { } generated)
        {
            yield return (
                "generated tuples that name no single item",
                $"{Percent(generated.Ambiguous + generated.Nonexistent)} ({Percent(generated.Nonexistent)} name none, "
                + $"{Percent(generated.Ambiguous)} several); {generated.Tuples} behind each of {generated.Histories} histories");
        }
        else if (audit.NotGenerated is { } why)
        {
            yield return ("generated tuples that name no single item", $"left out: {why}");
        }

        if (audit.Churn is { } churn)
        {
            yield return ($"items kept from {churn.Before}", $"{N(churn.Kept, "F0")}; {churn.New} new, {churn.Gone} gone");
            yield return ("of these with other codes", Percent(churn.Moved));
            yield return ("of these with another ID", Percent(churn.Renamed));
            if (churn.MovedPrefix is { } prefixes)
            {
                yield return ("of these with other first codes", string.Join(" / ", prefixes.Select(Percent)));
            }
        }
    }

    /// <summary>The header and a row for each level.</summary>
    public static IReadOnlyList<string[]> Levels(SemanticIdAudit audit) =>
    [
        ["level", "codes", "used", "used %", "perplexity", "Gini", "perplexity by interactions", "Gini by interactions"],
        .. audit.Levels.Select((level, index) => (string[])
        [
            $"{index}", $"{level.Size}", $"{level.Used}", N(level.Usage * 100, "F1"), N(level.Perplexity, "F1"), N(level.Gini, "F3"),
            level.TrafficPerplexity is { } perplexity ? N(perplexity, "F1") : "–", level.TrafficGini is { } gini ? N(gini, "F3") : "–",
        ]),
    ];

    public static void Print(TextWriter output, SemanticIdAudit audit)
    {
        output.WriteLine($"version {audit.Version}");
        foreach (var (name, value) in Figures(audit))
        {
            output.WriteLine($"  {name,-50} {value}");
        }

        Print(output, Levels(audit));
    }

    /// <summary>Columns as wide as they must be; a row with one cell only, a failure, spans them.</summary>
    public static void Print(TextWriter output, IReadOnlyList<string[]> table)
    {
        var whole = table.Where(row => row.Length == table[0].Length).ToList();
        int[] widths = [.. Enumerable.Range(0, table[0].Length).Select(column => whole.Max(row => row[column].Length))];
        widths[0] = table.Max(row => row[0].Length);
        foreach (string[] row in table)
        {
            output.WriteLine("  " + string.Join("  ", row.Select((cell, column) => column == 0 || row.Length < widths.Length
                ? cell.PadRight(column == 0 ? widths[0] : 0)
                : cell.PadLeft(widths[column]))));
        }
    }

    private static string Levels(QuantizerReport report, Func<LevelReport, string> figure) =>
        string.Join('/', report.Levels.Select(figure));

    private static string Percent(double share) => N(share * 100, "F1") + " %";

    private static string N(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
