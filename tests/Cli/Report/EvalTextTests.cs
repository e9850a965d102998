using System.Globalization;
using System.Text.RegularExpressions;
using Recsys.Cli.Report;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Tests.Report;

/// <summary>An evaluation in words and as a page: every figure labelled, and the same in both.</summary>
public sealed partial class EvalTextTests
{
    [Fact]
    public void Text_and_page_say_the_same_and_what_is_counted()
    {
        string text = Text(), page = EvalText.Html(Result());
        string[] said =
        [
            "strict: the validation item is not trained on, the history's items are ranked too",
            "strict_unseen: the validation item is not trained on, the history's items are removed",
            "open: the validation item is trained on, the history's items are removed",
            "ties by item number, cold targets ranked", "history's length; 25.0 % of the targets are cold",
            "new minus old, the same users", "0.0650", "0.0617 to 0.0683", "-0.0100 to 0.0300", "12.5 %",
            "split sha256 abc",
            "the sum: transitions 0.75, id 0.25, repeat -2, cold 0.125; with interplay of 2 units: N@10 0.0800 to 0.0825 on validation",
            "invalid 1, duplicates 2",
            "at the level of codes, the sum: no item level compares with it", "open: a list promises 0.0700 hits and has 0.0600",
        ];
        Assert.All(said, one => Assert.Contains(one, text, StringComparison.Ordinal));
        Assert.All(said, one => Assert.Contains(one, System.Net.WebUtility.HtmlDecode(page), StringComparison.Ordinal));
        Assert.DoesNotContain("\n  tail", text, StringComparison.Ordinal); // of no user
    }

    [Fact]
    public void The_page_needs_no_script_and_no_network_and_its_tables_are_whole()
    {
        string page = EvalText.Html(Result());
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>me</i>", page, StringComparison.Ordinal);
        Assert.Equal(Regex.Count(page, "<svg"), Regex.Count(page, "</svg>"));
        Assert.Equal(3 + 1 + 3 + 3, Regex.Count(page, "<svg")); // recall, difference, slices, calibration
    }

    [Fact]
    public void Json_holds_analysis_and_comparison_under_the_protocols_names()
    {
        var json = Result().ToJson();
        Assert.Equal(17, (long)json["training_seed"]!);
        Assert.Equal("old", (string)json["comparison"]!["against"]!);
        Assert.Equal(.125, (double)json["comparison"]!["differences"]![0]!["differing"]!);
        Assert.Equal(.03, (double)json["comparison"]!["differences"]![0]!["difference"]!["high"]!);
        foreach (string protocol in new[] { "strict", "strict_unseen", "open" })
        {
            var analysis = json["analysis"]![protocol]!;
            Assert.Equal(.25, (double)analysis["cold_targets"]!);
            Assert.Equal(3, (int)analysis["popularity"]!["head"]!["users"]!);
            Assert.Equal(.065, (double)analysis["popularity"]!["head"]!["recall@10"]!);
            Assert.Null(analysis["popularity"]!["tail"]!["recall@10"]); // of no user
            Assert.Equal(.5, (double)analysis["lists"]!["coverage"]!);
            Assert.Equal(.002, (double)analysis["calibration"]!["error"]!);
        }
    }

    [Fact]
    public void A_value_lies_between_the_ends_of_its_interval_and_zero_is_on_the_axis()
    {
        string chart = Chart.Intervals("d", [("up", new Metric(.5, 0, 1)), ("down", new Metric(-.5, -1, 0))]);
        // From -1 to 1 over 124 to 348: 0 in the middle, a half at its quarters.
        var dots = Dots().Matches(chart).Select(dot => double.Parse(dot.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal([292, 180], dots);
        Assert.Contains("x1=\"236\" x2=\"236\"", chart, StringComparison.Ordinal);
        Assert.Contains("x1=\"348\" x2=\"348\"", Chart.Intervals("d", [("down", new Metric(-.5, -1, -.25))]), StringComparison.Ordinal);
        Assert.Contains("cx=\"124\"", Chart.Intervals("d", [("none", new Metric(0, 0, 0))]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_promise_that_holds_lies_on_the_diagonal_of_whole_decades()
    {
        string chart = Chart.Reliability("c", [new CalibrationBin(10, .01, .01, 0, .05), new CalibrationBin(10, .1, 0, 0, .1)]);
        // From 0.01 to 1: x 46 to 348, y 174 to 12. 0.1 is half way; what has no hit lies on the lower edge.
        var dots = Dots().Matches(chart).Select(dot => (dot.Groups[1].Value, dot.Groups[2].Value));
        Assert.Equal([("46", "174"), ("197", "174")], dots);
    }

    private static string Text()
    {
        var output = new StringWriter();
        EvalText.Print(output, Result());
        return output.ToString();
    }

    private static EvalResult Result()
    {
        var row = new MetricRow(new[] { "recall@5", "ndcg@5", "recall@10", "ndcg@10" }.ToDictionary(
            name => name, _ => new Metric(.065, .0617, .0683)));
        var rows = new ConventionRows(row, row);
        var answers = new AnswerSet([]);
        var report = new EvaluationReport
        {
            Target = EvaluationTarget.Test, Users = 4, Seed = 1, Beam = 50, SplitSha256 = "abc",
            Sum = new LegSum(
                new Dictionary<string, double> { ["transitions"] = .75, ["id"] = .25 }, -2, 1, 1, Cold: .125,
                Interplay: new Interplay([], [], [], [], [], [1, 1], .08, .0825)),
            Plain = answers, Removed = answers,
            ItemLevel = rows, CodeLevel = rows, Invalid = 1, Duplicates = 2, Short = 0,
            Legs = new Dictionary<string, ConventionRows> { ["id"] = rows },
            Baselines = new Dictionary<string, ConventionRows> { ["popularity"] = rows },
            Open = new ProtocolResult(
                Protocol.Open, new Dictionary<string, MetricRow> { ["sum"] = row, ["popularity"] = row }, answers),
        };
        var lists = new ListQuality(.5, 9, .8, .7);
        var analysis = new ProtocolAnalysis(
            .25, [new Slice("head", "many", 3, row), new Slice("tail", "none", 0, row)], [new Slice("1-3", "short", 4, row)],
            new Slice("cold_shortlist", "cold", 2, row), lists,
            lists with { Diversity = null }, new Calibration([new CalibrationBin(40, .007, .006, .001, .01)], .002, .07, .06));
        return new EvalResult(
            "shop of <i>me</i>", "def", "new", 17, report, report.Protocols.ToDictionary(one => one.Protocol, _ => analysis), "old",
            [new PairedComparison("strict", "recall@10", .065, .055, new Metric(.01, -.01, .03), .125)]);
    }

    [GeneratedRegex("cx=\"([^\"]*)\" cy=\"([^\"]*)\"")]
    private static partial Regex Dots();
}
