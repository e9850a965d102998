using System.Globalization;
using Recsys.Cli.Report;
using Recsys.Datasets;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo;

/// <summary>The demo's one HTML page, for a reader who has met none of it: a sentence beside each figure says what it is.</summary>
internal static class DemoReport
{
    public static string Html(DemoResult result, Dataset dataset)
    {
        var page = new ReportPage("Recsys demo: stickers");
        page.Lead(
            $"{result.Items:N0} emoji stickers became semantic IDs. A sequence model learned from {result.SimulatedShoppers:N0} simulated "
            + "shoppers what is taken next. A diffusion model learned to draw stickers from the same IDs. A server answered everything "
            + "below over gRPC.");
        page.Note(
            "The pictures and names are real (Noto Emoji). The shoppers are simulated from a stated taste model with a fixed seed; no "
            + "real person's behaviour is shown.");
        Recall(page, result);
        Shoppers(page, result, dataset);
        Drawings(page, result, dataset);
        SemanticIds(page, result);
        Training(page, result);
        page.Heading("Where the pictures come from");
        page.Note(
            "Noto Emoji by Google (Apache License 2.0 and SIL Open Font License 1.1), taken from the npm package "
            + "emoji-datasource-google 16.0.0 (MIT, Cal Henderson), shrunk to 32 × 32. See samples/stickers.");
        return page.Html();
    }

    private static void Recall(ReportPage page, DemoResult result)
    {
        var evaluation = result.Evaluation;
        var interval = evaluation.ItemLevel.SeenRemoved!.Metrics["recall@10"];
        page.Heading("How good the recommendations are");
        page.Paragraph(
            $"The last sticker of each simulated shopper was kept out of all training. For {evaluation.Users:N0} of them the model saw the "
            + $"stickers before it, and named ten of the {result.Items:N0}. How often is the kept one among the ten?");
        page.Figures(
        [
            (Share(result.Recall), "the trained model", "of shoppers find the kept sticker among the ten that it recommends. "
                + $"This share is called recall@10; by chance of the draw it may be {Share(interval.Low)} to {Share(interval.High)}."),
            (Share(result.PopularityRecall), "the ten most popular", "find it when everybody is shown the same ten stickers, those "
                + "taken most often. This is what knowing nothing about a shopper gives."),
            (Share(result.CountingRecall), "counting pairs", "find it when the ten are those taken most often by others who took "
                + "this shopper's last stickers. This needs no model."),
            (Share(result.BestRecall), "the best possible", "find it with the recommender that knows the rules of the simulation. "
                + "Shoppers also choose at random, so no recommender can be expected to do better."),
        ]);
        page.Paragraph(Verdict(result));
        page.Table(
            ["who recommends", "recall@5", "recall@10", "NDCG@10"],
            [
                Row("the best possible", result.Optimal),
                Row("the trained model", evaluation.ItemLevel.SeenRemoved!),
                .. evaluation.Baselines.Select(baseline => Row(DemoWords.Of(baseline.Key), baseline.Value.SeenRemoved!)),
            ]);
        page.Note(
            "recall@5: the same with five recommendations. NDCG@10 also asks for the place: a kept sticker counts 1 in the first place, "
            + "0.63 in the second and 0.29 in the tenth, and this is the mean. Nobody is recommended a sticker of their history, as no "
            + $"simulated shopper takes one twice. The best possible is over all shoppers. Answers that are no sticker: "
            + $"{evaluation.Invalid}; stickers named twice in one answer: {evaluation.Duplicates}.");

        static IReadOnlyList<string> Row(string name, MetricRow row) =>
            [name, Share(row["recall@5"]), Share(row["recall@10"]), F(row["ndcg@10"], "F3")];
    }

    /// <summary>Beside counting, whichever of the two is ahead.</summary>
    private static string Verdict(DemoResult result)
    {
        // Of the shares as they are printed: a reader subtracts those.
        string points = F(Math.Abs(Math.Round(result.Recall * 100, 1) - Math.Round(result.CountingRecall * 100, 1)), "F1");
        return result.Recall < result.CountingRecall
            ? $"Counting is {points} points ahead of the model, for a reason. These shoppers mostly go from one sticker to one of three "
                + $"fixed successors. Counting reads such a list off directly; the model must learn it from {result.SimulatedShoppers:N0} "
                + "short histories and write it in semantic IDs. On real purchases, where no such list exists, the order of the two can "
                + "turn: measure yours with ./recsys eval."
            : $"The model is {points} points ahead of counting, although counting suits these shoppers: they mostly go from one sticker to "
                + "one of three fixed successors, and such a list is what counting reads off directly.";
    }

    private static void Shoppers(ReportPage page, DemoResult result, Dataset dataset)
    {
        page.Heading("A few simulated shoppers");
        int hits = result.Shoppers.Count(shopper => shopper.Answers.Any(answer => answer.Item == shopper.Next));
        page.Paragraph(
            "First what a shopper took, oldest first; then the ten that the server recommends. Framed in green: the sticker really taken "
            + $"next, which no model had seen. It is among the ten for {hits} of these {result.Shoppers.Count}.");
        page.Note(
            "The share below a recommendation is the probability that the model gives to exactly this sticker coming next. The last "
            + "picture of a row exists nowhere: it was drawn for this shopper, from the semantic ID that comes next by the model.");
        foreach (var shopper in result.Shoppers)
        {
            page.Pictures($"{shopper.Name} took", shopper.History.TakeLast(10).Select(item => Of(dataset, item)));
            var answers = shopper.Answers.Select(answer => Of(
                dataset, answer.Item, Share(answer.Probability), $"semantic ID {answer.Id}", answer.Item == shopper.Next)).ToList();
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
        double seconds = result.Steps.Where(step => step.Stage == "creative").Sum(step => step.Seconds);
        page.Paragraph(
            "Each row begins with real stickers that have one semantic ID. The pictures marked 'generated' are drawn from that ID alone: "
            + "the diffusion model starts from noise and removes it step by step. Another noise gives another picture.");
        page.Note(
            $"The model trained for {F(seconds, "F0")} seconds on 32 × 32 pixels, so look for colours and shapes, not for fine lines. The "
            + "last row's ID belongs to no sticker: only its first codes do, those of the stickers beside it.");
        foreach (var drawing in result.Drawings)
        {
            page.Pictures(drawing.Label, drawing.Items.Select(item => Of(dataset, item, "real"))
                .Concat(drawing.Pictures.Select(picture => new Tile(picture, drawing.SemanticId, "generated"))));
        }
    }

    private static void SemanticIds(ReportPage page, DemoResult result)
    {
        if (result.Rebuild.Quantizer is not { } quantizer)
        {
            return;
        }

        page.Heading("What a semantic ID is");
        page.Paragraph(
            $"An address by likeness, {quantizer.Levels.Length} numbers long, from coarse to fine. In 12-5-201, 12 is a region of the "
            + "catalogue, 5 a part of it, 201 a corner of that. Stickers with like names, like pictures or the same shoppers begin "
            + "with the same numbers. The model recommends by writing such addresses, so it knows something about every sticker.");
        page.Figures(
        [
            ($"{quantizer.DistinctCodes:N0}", $"addresses for {quantizer.Items:N0} stickers", $"{quantizer.Collisions:N0} stickers share "
                + $"theirs with another, at most {quantizer.LargestGroup} one address; one more number (after #) tells them apart."),
            (Share(quantizer.ReconstructionError), "lost", "of the differences between stickers cannot be read back from the addresses. "
                + "0 % would keep everything, 100 % nothing."),
        ]);
        page.Charts(quantizer.Levels.Select((level, index) => Chart.Usage(
            $"number {index + 1}: {level.Used} of {level.Size} values are used, as evenly as {F(level.Perplexity, "F0")} equal ones",
            level.Counts)));
        page.Note("One square a value: the darker, the more stickers have it; hollow squares are unused. Point at one for its count.");
    }

    private static void Training(ReportPage page, DemoResult result)
    {
        var rebuild = result.Rebuild;
        page.Heading("How it was made");
        page.Paragraph(
            "A nightly rebuild does the same on your own data, up to the sealed version. A model learns while its surprise falls, "
            + "and while what it makes of the stickers kept from it rises.");
        page.Table(
            ["step", "seconds", "what happens"],
            result.Steps.Select(step => (IReadOnlyList<string>)[step.Stage, F(step.Seconds, "F1"), DemoWords.Of(step.Stage)]));
        page.Charts(rebuild.Curves.Where(curve => !curve.Key.EndsWith("/learning_rate", StringComparison.Ordinal)).Select(
            curve => Chart.Line(
                DemoWords.Of(curve.Key), "steps",
                [.. curve.Value.Select(point => (point.X, point.Y))])));
        page.Note(
            $"Version {rebuild.Version}, seed {rebuild.Seed}, on {rebuild.Machine}. Dataset sha256 {rebuild.DatasetSha256}; split sha256 "
            + $"{rebuild.SplitSha256}.");
    }

    private static Tile Of(Dataset dataset, int item, string detail = "", string hint = "", bool marked = false) =>
        new(dataset.Images?.Read(item), dataset.Items[item].Title, detail, hint.Length == 0 ? dataset.Items[item].Title : hint, marked);

    private static string Share(double value) => F(value, "P1");

    private static string F(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);
}
