using System.Text.RegularExpressions;
using Recsys.Catalog;
using Recsys.Cli.Demo;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Datasets;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Quantizer.Encoding;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Tests.Demo;

/// <summary>The page as a newcomer reads it: each figure beside a sentence about it, and none made up.</summary>
public sealed partial class DemoReportTests
{
    [Fact]
    public void Every_key_figure_stands_in_a_card_with_its_own_value_and_a_sentence()
    {
        var cards = Cards().Matches(Page(0.532)).ToDictionary(card => card.Groups[2].Value, card => card);
        Assert.Equal("53.2 %", cards["the trained model"].Groups[1].Value);
        Assert.Equal("2.4 %", cards["the ten most popular"].Groups[1].Value);
        Assert.Equal("55.4 %", cards["counting pairs"].Groups[1].Value);
        Assert.Equal("66.2 %", cards["the best possible"].Groups[1].Value);
        Assert.Equal("25.0 %", cards["lost"].Groups[1].Value);
        Assert.Contains("recall@10", cards["the trained model"].Groups[3].Value, StringComparison.Ordinal);
        Assert.Contains("51.0 % to 55.4 %", cards["the trained model"].Groups[3].Value, StringComparison.Ordinal);
        Assert.All(cards.Values, card => Assert.EndsWith(".", card.Groups[3].Value, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0.532, "Counting is 2.2 points ahead of the model")]
    [InlineData(0.574, "The model is 2.0 points ahead of counting")]
    public void The_page_says_which_of_model_and_counting_is_ahead_and_why(double recall, string verdict)
    {
        string page = Page(recall);
        Assert.Contains(verdict, page, StringComparison.Ordinal);
        Assert.Contains("three fixed successors", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_step_and_curve_is_explained_in_words()
    {
        string page = Page(0.5);
        Assert.Contains(
            "<td>retrieval</td><td>65.3</td><td>four models learn what comes next, each in its own way, and how far to trust each</td>",
            page, StringComparison.Ordinal);
        Assert.Contains("how wrong its guess of the noise is", page, StringComparison.Ordinal);
        Assert.Contains("model of the stickers as such: how much the next one surprises it", page, StringComparison.Ordinal);
        Assert.Contains("how likely it holds one kept from it", page, StringComparison.Ordinal);
        Assert.DoesNotContain("/loss", page, StringComparison.Ordinal);
        Assert.DoesNotContain("validation_", page, StringComparison.Ordinal);
        Assert.DoesNotContain("learning_rate", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recommendation_shows_its_probability_and_the_kept_sticker_is_framed()
    {
        string page = Page(0.5);
        Assert.Contains("It is among the ten for 1 of these 1.", page, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(page, "class=\"tile hit\""));
        Assert.Contains("<i>36.8 %</i>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_title_with_markup_is_shown_as_it_is() =>
        Assert.Contains("&lt;b&gt;sticker&lt;/b&gt;", Page(0.5), StringComparison.Ordinal);

    [Fact]
    public void The_page_needs_no_script_and_no_network()
    {
        string page = Page(0.5);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(page, "</html>"));
        Assert.Equal(Regex.Count(page, "<div"), Regex.Count(page, "</div>"));
    }

    /// <summary>The plan names the catalogue and the shoppers that the demo really has.</summary>
    [Fact]
    public void The_plan_says_what_is_true()
    {
        using var stickers = Dataset.Open(DemoFolder.Stickers());
        string plan = DemoRun.Plan("/somewhere/demo");
        Assert.Contains($"{stickers.ItemCount:N0} emoji stickers", plan, StringComparison.Ordinal);
        Assert.Contains($"{new StickerShopperOptions().Shoppers:N0} shoppers", plan, StringComparison.Ordinal);
        Assert.Contains("/somewhere/demo", plan, StringComparison.Ordinal);
    }

    internal static string Page(double recall)
    {
        using var dataset = Dataset.Open(DemoFolder.Stickers());
        return DemoReport.Html(Result(recall), dataset);
    }

    private static DemoResult Result(double recall)
    {
        MetricRow Row(double value) =>
            new(new[] { "recall@5", "recall@10", "ndcg@10" }.ToDictionary(name => name, _ => new Metric(value, 0.51, 0.554)));
        ConventionRows Both(double value) => new(Row(0), Row(value));
        DemoAnswer[] answers = [new(4, new SemanticId([1, 2, 3]), 0.135), new(5, new SemanticId([1, 2, 4]), 0.368)];
        var shopper = new DemoShopper("shopper 7", [1, 2, 3], 5, answers, [1, 2, 3]);
        return new DemoResult(
            new RebuildReport
            {
                Version = "v1", Dataset = "stickers", DatasetSha256 = "ab", SplitSha256 = "cd", Seed = 1, Machine = "a machine",
                Curves = new Dictionary<string, List<CurvePoint>>
                {
                    ["creative/loss"] = [new(0, 1), new(10, 0.5)],
                    ["creative/learning_rate"] = [new(0, 1)],
                    ["id/loss"] = [new(0, 1), new(10, 0.5)],
                    ["content/loss"] = [new(0, 1), new(10, 0.5)],
                    ["generative/loss"] = [new(0, 1), new(10, 0.5)],
                    ["id/validation_ndcg@10"] = [new(0, 0.1)],
                    ["content/validation_ndcg@10"] = [new(0, 0.1)],
                    ["generative/validation_log_p"] = [new(0, -9)],
                },
                Quantizer = new QuantizerReport(1594, 0.25, [new LevelReport(4, 3, 0.75, 2.9, [1, 2, 3, 0])], 1500, 94, 6),
            },
            new EvaluationReport
            {
                Target = EvaluationTarget.Test, Users = 2000, Seed = 1, Beam = 50, Sum = LegSum.Even(["id"]), SplitSha256 = "cd",
                Invalid = 0, Duplicates = 0, Short = 0, Plain = new AnswerSet([]),
                ItemLevel = Both(recall), CodeLevel = Both(0), Legs = new Dictionary<string, ConventionRows>(),
                Baselines = new Dictionary<string, ConventionRows> { ["popularity"] = Both(0.024), ["co_occurrence"] = Both(0.554) },
            },
            Row(0.662),
            [shopper], [new DemoDrawing("<b>sticker</b>", "1-2-3", [1], [[1, 2, 3]])],
            [new StageTime("retrieval", 65.3), new StageTime("creative", 108.5)], 1594, 6000);
    }

    [GeneratedRegex("<div><b>([^<]*)</b><i>([^<]*)</i><span>([^<]*)</span></div>")]
    private static partial Regex Cards();
}
