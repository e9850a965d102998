using System.CommandLine;
using Recsys.Cli.Demo;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

/// <summary>The main job on the bundled catalogue, ending with one HTML page.</summary>
internal static class DemoVerb
{
    private static readonly Option<string> Out = VerbOption.Of("--out", "Folder for everything the demo makes; replaced.", "demo");

    public static Command Create()
    {
        var command = new Command("demo", "The main job, end to end, on a bundled catalogue: minutes on two cores.") { Out };
        command.OnCompute(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string folder = Path.GetFullPath(parsed.GetValue(Out)!);
        Console.Error.WriteLine(DemoRun.Plan(folder));
        ConvolutionNotice.Warn(trainsPictures: true);
        using var progress = new ProgressView();
        var (result, report) = await DemoRun.RunAsync(folder, progress, cancel);
        return new VerbResult(Json(result, report), output => Text(output, result, report));
    }

    private static object Json(DemoResult result, string report) => new
    {
        report,
        version = result.Rebuild.Version,
        items = result.Items,
        simulated_shoppers = result.SimulatedShoppers,
        recall_at_10 = result.Recall,
        best_possible_recall_at_10 = result.BestRecall,
        popularity_recall_at_10 = result.PopularityRecall,
        invalid = result.Evaluation.Invalid,
        duplicates = result.Evaluation.Duplicates,
        steps = result.Steps,
    };

    private static void Text(TextWriter output, DemoResult result, string report)
    {
        foreach (var step in result.Steps)
        {
            output.WriteLine($"  {step.Stage,-14} {step.Seconds,7:F1} s");
        }

        output.WriteLine($"the sticker that a simulated shopper takes next is among the 10 recommended for {result.Recall:P1} of shoppers");
        output.WriteLine($"(the 10 most popular: {result.PopularityRecall:P1}; the best possible: {result.BestRecall:P1})");
        output.WriteLine($"report: {report}");
    }
}
