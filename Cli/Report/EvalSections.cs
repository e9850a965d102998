using System.Globalization;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Report;

/// <summary>One table of an evaluation, for the terminal and for the page alike.</summary>
/// <param name="Heading">What it belongs to on the page.</param>
/// <param name="Note">How it is to be read.</param>
/// <param name="Chart">SVG of the same figures, for the page.</param>
internal sealed record EvalSection(
    string Heading, string Title, string[] Header, IReadOnlyList<string[]> Rows, string Note = "", string Chart = "");

/// <summary>An evaluation as tables.</summary>
internal static class EvalSections
{
    private const string Recall = "recall@10", Ndcg = "ndcg@10";

    public static IEnumerable<EvalSection> Of(EvalResult result)
    {
        var (report, analyses) = (result.Report, result.Analyses);
        EvalSection[] all =
        [
            .. report.Protocols.Select(Accuracy),
            CodeLevel(report),
            .. result.Comparisons.Count > 0 ? [Comparison(result)] : Array.Empty<EvalSection>(),
            .. analyses.Select(analysis => Slices(analysis.Key, analysis.Value)),
            Lists(analyses),
            .. report.Decoder is { } decoder ? [Decoder(decoder)] : Array.Empty<EvalSection>(),
            .. analyses.Select(analysis => Calibration(analysis.Key, analysis.Value.Calibration)),
        ];
        return all;
    }

    public static string Number(double value) => value.ToString("F4", CultureInfo.InvariantCulture);

    public static string Interval(Metric metric) => $"{Number(metric.Low)} to {Number(metric.High)}";

    private static EvalSection Accuracy(ProtocolResult result) => new(
        "Recall and NDCG", result.Protocol.Label, ["", "R@5", "N@5", "R@10", "N@10", "R@10, 95 %"],
        [.. result.Rows.Select(row => (string[])
        [
            row.Key, Number(row.Value["recall@5"]), Number(row.Value["ndcg@5"]), Number(row.Value[Recall]), Number(row.Value[Ndcg]),
            Interval(row.Value.Metrics[Recall]),
        ])],
        Chart: Chart.Intervals($"recall@10, {result.Protocol.Name}", result.Rows.Select(row => (row.Key, row.Value.Metrics[Recall]))));

    private static EvalSection Decoder(DecoderCheck check) => new(
        "The beam", $"the beam of {check.Beam} beside a search of every item, the generative leg's first {check.K}, {check.Users} users",
        ["may be answered", "same items, same order", "of the exhaustive ones", "proved by the search", "proved wrongly"],
        [.. new[] { ("every item", check.All), ("half of them, by lot", check.Half) }.Select(row => (string[])
        [
            row.Item1, Number(row.Item2.Same), Number(row.Item2.Recall), Number(row.Item2.Certain), $"{row.Item2.Disproved}",
        ])]);

    private static EvalSection CodeLevel(EvaluationReport report) => new(
        "Recall and NDCG", "at the level of codes, the sum: no item level compares with it",
        ["", "R@5", "N@5", "R@10", "N@10"],
        [.. new[] { (Protocol.Strict, report.CodeLevel.NothingRemoved), (Protocol.StrictUnseen, report.CodeLevel.SeenRemoved!) }
            .Select(row => (string[])
            [
                row.Item1.Name, Number(row.Item2["recall@5"]), Number(row.Item2["ndcg@5"]), Number(row.Item2[Recall]),
                Number(row.Item2[Ndcg]),
            ])],
        "A hit is any item with the target's codes.");

    private static EvalSection Comparison(EvalResult result) => new(
        "Against another version", $"{result.Version} minus {result.Against}, the same users",
        ["protocol", "metric", "this one", "the other", "difference", "95 %", "users that differ"],
        [.. result.Comparisons.Select(one => (string[])
        [
            one.Protocol, one.Metric, Number(one.After), Number(one.Before), Number(one.Difference.Value), Interval(one.Difference),
            Percent(one.Differing),
        ])],
        "Paired bootstrap over users. An interval that holds 0 shows no difference.",
        Chart.Intervals("difference", result.Comparisons.Select(one => ($"{one.Protocol} {one.Metric}", one.Difference))));

    private static EvalSection Slices(Protocol protocol, ProtocolAnalysis analysis)
    {
        var slices = analysis.Popularity.Concat(analysis.ColdShort is { } cold ? [cold] : []).Concat(analysis.History)
            .Where(slice => slice.Users > 0).ToArray();
        return new EvalSection(
            "Who is served how well",
            $"{protocol.Name}: the sum by the target's popularity and the history's length; {Percent(analysis.Cold)} of the targets are "
            + "cold",
            ["", "users", "R@10", "R@10, 95 %", "N@10", "N@10, 95 %", "who"],
            [.. slices.Select(slice => (string[])
            [
                slice.Name, slice.Users.ToString(CultureInfo.InvariantCulture), Number(slice.Row[Recall]),
                Interval(slice.Row.Metrics[Recall]), Number(slice.Row[Ndcg]), Interval(slice.Row.Metrics[Ndcg]), slice.Meaning,
            ])],
            "Cold: never seen in training; such targets are ranked like all others. Head, middle and tail each hold a third of the "
            + "training interactions.",
            Chart.Intervals($"recall@10, {protocol.Name}", slices.Select(slice => (slice.Name, slice.Row.Metrics[Recall]))));
    }

    private static EvalSection Lists(IReadOnlyDictionary<Protocol, ProtocolAnalysis> analyses)
    {
        string[] Row(string name, ListQuality lists) =>
        [
            name, Percent(lists.Coverage), lists.Novelty.ToString("F2", CultureInfo.InvariantCulture),
            lists.Diversity is { } diversity ? Number(diversity) : "", Number(lists.Gini),
        ];
        return new EvalSection(
            "What the lists are like", "the sum's lists of ten", ["", "coverage", "novelty", "diversity", "Gini"],
            [.. analyses.Select(analysis => Row(analysis.Key.Name, analysis.Value.Lists)), Row("taken", analyses.First().Value.Taken)],
            "Coverage: share of the catalogue that is in some list. Novelty: mean of -log2 of an item's share of the training "
            + "interactions, in bits. Diversity: mean share of code levels that two items of a list do not share, from the first that "
            + "differs. Gini: of how often each item is listed, 0 all alike, 1 one item alone. 'taken': the same of what users took.");
    }

    private static EvalSection Calibration(Protocol protocol, Calibration calibration) => new(
        "Whether probabilities hold",
        $"{protocol.Name}: a list promises {Number(calibration.Predicted)} hits and has {Number(calibration.Observed)}; "
        + $"expected calibration error {calibration.Error.ToString("G3", CultureInfo.InvariantCulture)}",
        ["answers", "promised", "hits", "hits, 95 %"],
        [.. calibration.Bins.Select(bin => (string[])
        [
            bin.Answers.ToString(CultureInfo.InvariantCulture), Number(bin.Predicted), Number(bin.Observed),
            $"{Number(bin.Low)} to {Number(bin.High)}",
        ])],
        "Answers by their probability, as many in each row.",
        Chart.Reliability($"promised and found, {protocol.Name}", calibration.Bins));

    private static string Percent(double share) => (share * 100).ToString("F1", CultureInfo.InvariantCulture) + " %";
}
