using System.CommandLine;
using Recsys.Cli.Demo;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

internal static class DemoVerb
{
    public static Command Create()
    {
        var target = new Option<string>("--out") { Description = "Folder for everything the demo makes; replaced.", DefaultValueFactory = _ => "demo" };
        var command = new Command("demo", "The main job, end to end, on a bundled catalogue: minutes on two cores.") { target };
        command.OnCompute(async (parsed, cancel) =>
        {
            string folder = Path.GetFullPath(parsed.GetValue(target)!);
            Console.Error.WriteLine("recsys: the demo takes about 5 minutes on two idle cores");
            ConvolutionNotice.Warn(trainsPictures: true);
            using var progress = new ProgressView();
            var (result, report) = await DemoRun.RunAsync(folder, progress, cancel);
            var row = result.Evaluation.ItemLevel.SeenRemoved!;
            return new VerbResult(
                new
                {
                    report,
                    version = result.Rebuild.Version,
                    items = result.Items,
                    simulated_shoppers = result.SimulatedShoppers,
                    recall_at_10 = row["recall@10"],
                    best_possible_recall_at_10 = result.Optimal.Recall[1],
                    popularity_recall_at_10 = result.Evaluation.Baselines["popularity"].SeenRemoved!["recall@10"],
                    invalid = result.Evaluation.Invalid,
                    duplicates = result.Evaluation.Duplicates,
                    steps = result.Steps,
                },
                output =>
                {
                    foreach (var step in result.Steps)
                    {
                        output.WriteLine($"  {step.Stage,-14} {step.Seconds,7:F1} s");
                    }

                    output.WriteLine(
                        $"simulated shoppers' next sticker among our 10: {row["recall@10"]:P1} (best possible "
                        + $"{result.Optimal.Recall[1]:P1}, popularity "
                        + $"{result.Evaluation.Baselines["popularity"].SeenRemoved!["recall@10"]:P1})");
                    output.WriteLine($"report: {report}");
                });
        });
        return command;
    }
}
