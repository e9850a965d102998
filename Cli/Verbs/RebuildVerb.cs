using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Jobs;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Server.Serving;
using Recsys.Store.Versions;

namespace Recsys.Cli.Verbs;

/// <summary>One nightly rebuild, now.</summary>
internal static class RebuildVerb
{
    private static readonly Option<long?> Seed = VerbOption.Of<long?>("--seed", "Another seed than the configuration's.");
    private static readonly Option<bool> FitAll =
        VerbOption.Of<bool>("--fit-all", "Once the gates have passed, train again on everything and publish that.");
    private static readonly Option<bool> NoActivate = VerbOption.Of<bool>("--no-activate", "Publish; leave the active version as it is.");
    private static readonly Option<bool> NoPictures = VerbOption.Of<bool>("--no-pictures", "Train no creative model.");

    public static Command Create()
    {
        var command = new Command("rebuild", "One nightly rebuild, now: train, encode, gate, publish, activate.")
        {
            FolderOptions.Data, FolderOptions.Out, FolderOptions.Redis, FolderOptions.RedisPrefix, Seed, DeviceOption.Device, FitAll,
            NoActivate, NoPictures, DatasetOptions.DropUnknown, DatasetOptions.Events,
        };
        command.AddEncoders();
        command.OnCompute(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var options = Options(parsed);
        string data = parsed.GetValue(FolderOptions.Data)!;
        var ranks = Processes.Join();
        await using var stores = ranks.First ? await parsed.OpenStoresAsync(FolderOptions.Out, cancel) : null;
        var versions = stores?.Versions ?? new VersionStore(parsed.GetValue(FolderOptions.Out)!);
        _ = ranks.FirstBeforeOthers(() => ranks.First ? parsed.BringEvents(data, versions.EventsNoted) : 0);
        using var dataset = parsed.Open(data);
        ConvolutionNotice.Warn(ranks.First && RebuildJob.TrainsPictures(dataset, options));
        using var progress = ranks.First ? new ProgressView() : null;
        var result = await new RebuildJob(versions, stores?.Ids, TimeProvider.System, ranks).RunAsync(dataset, options, progress, cancel);
        Processes.Leave();
        int items = dataset.ItemCount;
        return new VerbResult(Json(result), output => Text(output, result, items));
    }

    private static RebuildOptions Options(ParseResult parsed)
    {
        var options = parsed.Configuration();
        options = options with
        {
            Seed = parsed.GetValue(Seed) ?? options.Seed,
            Device = parsed.DeviceOr(options.Device),
            FitAll = options.FitAll || parsed.GetValue(FitAll),
            Activate = options.Activate && !parsed.GetValue(NoActivate),
            Pictures = options.Pictures && !parsed.GetValue(NoPictures),
            Embeddings = parsed.Encoders(),
        };
        options.Validate();
        return options;
    }

    private static object Json(RebuildResult result) => new
    {
        version = result.Report.Version,
        active = result.Activated,
        previous = result.Previous,
        dataset = result.Report.Dataset,
        dataset_sha256 = result.Report.DatasetSha256,
        split_sha256 = result.Report.SplitSha256,
        seed = result.Report.Seed,
        machine = result.Report.Machine,
        stages = result.Report.Stages,
        embeddings = result.Report.Embeddings,
        quantizer = result.Report.Quantizer,
        codebook = result.Report.Codebook,
        validation = result.Report.Validation,
        gates = result.Report.Gates,
    };

    private static void Text(TextWriter output, RebuildResult result, int items)
    {
        var report = result.Report;
        string state = result.Activated ? "is active" : "is published, not active";
        output.WriteLine($"version {report.Version} {state}{(result.Previous is null ? "" : $" (before: {result.Previous})")}");
        foreach (var stage in report.Stages)
        {
            output.WriteLine($"  {stage.Stage,-12} {stage.Seconds,7:F1} s");
        }

        foreach (string line in report.Embeddings.SelectMany(embedding => embedding.Lines(items)))
        {
            output.WriteLine("  " + line);
        }

        output.WriteLine($"  {report.Codebook?.Summary}");
        foreach (var gate in report.Gates)
        {
            output.WriteLine($"  {(gate.Passed ? "passed" : "FAILED")}  {gate.Name,-24} {gate.Value:G5} ({gate.Bound})");
        }

        output.WriteLine($"  seed {report.Seed}, dataset sha256 {report.DatasetSha256}, split sha256 {report.SplitSha256 ?? "none"}");
    }
}
