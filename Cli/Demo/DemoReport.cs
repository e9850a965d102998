using System.Globalization;
using Recsys.Catalog;
using Recsys.Cli.Report;
using Recsys.Datasets;
using Recsys.Jobs;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo;

/// <summary>The demo's one HTML page.</summary>
internal static class DemoReport
{
    public static string Html(DemoResult result, Dataset dataset)
    {
        var rebuild = result.Rebuild;
        var page = new ReportPage("Recsys demo: stickers");
        page.Lead(
            $"{result.Items:N0} real emoji stickers became semantic IDs; a sequence model learned what {result.SimulatedShoppers:N0} "
            + "simulated shoppers take next; a diffusion model learned to draw stickers from the same IDs; and a server answered all "
            + "you see below over gRPC.");
        page.Note(
            "The pictures and names are real (Noto Emoji). The shopping sessions are simulated from a stated taste model with a fixed "
            + "seed; no real person's behaviour is shown.");

        page.Heading("What happened");
        page.Table(["step", "seconds"], result.Steps.Select(step => (IReadOnlyList<string>)[step.Stage, F(step.Seconds, "F1")]));
        page.Note(
            $"Version {rebuild.Version}, seed {rebuild.Seed}, on {rebuild.Machine}. Dataset sha256 {rebuild.DatasetSha256}; split "
            + $"sha256 {rebuild.SplitSha256}.");

        page.Heading("Training");
        page.Charts(rebuild.Curves.Where(curve => !curve.Key.EndsWith("/learning_rate", StringComparison.Ordinal))
            .Select(
                curve =>
                    Chart.Line(
                        curve.Key.Replace("/", ": ", StringComparison.Ordinal), "steps",
                        [.. curve.Value.Select(point => (point.X, point.Y))])));

        Codes(page, result);
        Recall(page, result);
        Shoppers(page, result, dataset);
        Drawings(page, result, dataset);

        page.Heading("Where the pictures come from");
        page.Note(
            "Noto Emoji by Google (Apache License 2.0 and SIL Open Font License 1.1), taken from the npm package "
            + "emoji-datasource-google 16.0.0 (MIT, Cal Henderson), shrunk to 32 × 32. See samples/stickers.");
        return page.Html();
    }

    private static void Codes(ReportPage page, DemoResult result)
    {
        if (result.Rebuild.Quantizer is not { } quantizer)
        {
            return;
        }

        page.Heading("Semantic IDs");
        page.Paragraph(
            $"Each sticker's embeddings became {quantizer.Levels.Length} codes, coarse to fine. {quantizer.DistinctCodes:N0} of "
            + $"{quantizer.Items:N0} code tuples are distinct; {quantizer.Collisions:N0} stickers share their codes with another (at "
            + $"most {quantizer.LargestGroup} in a group) and are told apart by a collision token. The codes leave "
            + $"{F(quantizer.ReconstructionError, "P1")} of the embeddings' variance unexplained.");
        page.Charts(quantizer.Levels.Select((level, index) => Chart.Usage(
            $"level {index + 1}: {level.Used} of {level.Size} codes used, perplexity {F(level.Perplexity, "F1")}", level.Counts)));
        page.Note("One square a code: the darker, the more stickers have it; hollow squares are unused. Point at one for its count.");
    }

    private static void Recall(ReportPage page, DemoResult result)
    {
        page.Heading("How good the recommendations are");
        page.Paragraph(
            $"For {result.Evaluation.Users:N0} simulated shoppers the last sticker was kept from every step, then asked for. The taste "
            + "model is known, so the best possible recall is, too: nobody who knows only the history can do better.");
        var rows = new List<IReadOnlyList<string>> { Row("best possible (knows the taste model)", k => result.Optimal.Recall[Array.IndexOf(result.Optimal.Ks, k)], result.Optimal.Ndcg[Array.IndexOf(result.Optimal.Ks, 10)]), Of("recsys", result.Evaluation.ItemLevel.SeenRemoved!) };
        rows.AddRange(result.Evaluation.Baselines.Select(baseline => Of(baseline.Key, baseline.Value.SeenRemoved!)));
        page.Table(["ranking of the whole catalogue", "Recall@5", "Recall@10", "NDCG@10"], rows);
        page.Note(
            "Item level; stickers of the history are left out of every ranking, as a simulated shopper never takes one twice; the best "
            + $"possible is over all shoppers, the others over {result.Evaluation.Users:N0} drawn by the seed; invalid answers "
            + $"{result.Evaluation.Invalid}, duplicates {result.Evaluation.Duplicates}.");

        static IReadOnlyList<string> Of(string name, MetricRow row) => Row(name, k => row[$"recall@{k}"], row["ndcg@10"]);
        static IReadOnlyList<string> Row(string name, Func<int, double> recall, double? ndcg) =>
            [name, F(recall(5), "F4"), F(recall(10), "F4"), ndcg is null ? "" : F(ndcg.Value, "F4")];
    }

    private static void Shoppers(ReportPage page, DemoResult result, Dataset dataset)
    {
        page.Heading("A few simulated shoppers");
        page.Note(
            "History, oldest first; then what the server recommends, with the natural log of the model's probability. Framed in green: "
            + "the sticker that the shopper really took next, which no model had seen.");
        foreach (var shopper in result.Shoppers)
        {
            page.Pictures($"{shopper.Name} took", shopper.History.TakeLast(10).Select(item => Of(dataset, item)));
            var answers = shopper.Answers.Select(
                answer => Of(dataset, answer.Item, F(answer.Score, "F2"), answer.Id.ToString(), answer.Item == shopper.Next)).ToList();
            if (shopper.Drawn is not null)
            {
                answers.Add(new Tile(shopper.Drawn, "drawn for them", "generated", "drawn from the recommended semantic ID"));
            }

            page.Pictures("recommended", answers);
        }
    }

    private static void Drawings(ReportPage page, DemoResult result, Dataset dataset)
    {
        page.Heading("Stickers drawn from semantic IDs");
        page.Note("Left: real stickers with these codes. Right: what the diffusion model draws from the codes alone, another seed each.");
        foreach (var drawing in result.Drawings)
        {
            page.Pictures(drawing.Label, drawing.Items.Select(item => Of(dataset, item, "real"))
                .Concat(drawing.Pictures.Select(picture => new Tile(picture, drawing.SemanticId, "generated"))));
        }
    }

    private static Tile Of(Dataset dataset, int item, string detail = "", string hint = "", bool marked = false) =>
        new(dataset.Images?.Read(item), dataset.Items[item].Title, detail, hint.Length == 0 ? dataset.Items[item].Title : hint, marked);

    private static string F(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);
}
