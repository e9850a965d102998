using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Jobs;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

internal static class RebuildVerb
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The dataset folder.", Required = true };
        var target = new Option<string>("--out") { Description = "Folder of versions.", DefaultValueFactory = _ => "versions" };
        var redis = new Option<string?>("--redis") { Description = "Redis connection string (default: RECSYS_REDIS, else a private "
            + "Redis in the folder of versions)." };
        var config = new Option<string?>("--config") { Description = "JSON file of rebuild options; see docs/configuration.md." };
        var seed = new Option<long?>("--seed");
        var device = DeviceOption.Create();
        var all = new Option<bool>("--fit-all") { Description = "Once the gates have passed, train again on everything and publish that." };
        var idle = new Option<bool>("--no-activate") { Description = "Publish, but leave the active version as it is." };
        var plain = new Option<bool>("--no-pictures") { Description = "Train no creative model." };
        var encoders = new EncoderOptions();
        var command = new Command(
            "rebuild",
            "One nightly rebuild, now: train, encode, gate, publish, "
            + "activate.")
        {
            data, target, redis, ClientVerb.RedisPrefix, config, seed, device, all, idle, plain, DatasetOptions.DropUnknown,
        };
        encoders.AddTo(command, config: false);
        command.OnCompute(async (parsed, cancel) =>
        {
            var options = parsed.GetValue(config) is { } file ? RebuildOptions.Read(file) : new RebuildOptions();
            options = options with
            {
                Seed = parsed.GetValue(seed) ?? options.Seed,
                Device = DeviceOption.Of(parsed, device, options.Device),
                FitAll = options.FitAll || parsed.GetValue(all),
                Activate = options.Activate && !parsed.GetValue(idle),
                Pictures = options.Pictures && !parsed.GetValue(plain),
                Embeddings = encoders.Apply(parsed, options.Embeddings),
            };
            options.Validate();
            using var dataset = parsed.Open(parsed.GetValue(data)!);
            await using var stores = await Stores.OpenAsync(
                Path.GetFullPath(parsed.GetValue(target)!), parsed.GetValue(redis), parsed.GetValue(ClientVerb.RedisPrefix), cancel);
            ConvolutionNotice.Warn(RebuildJob.TrainsPictures(dataset, options));
            using var progress = new ProgressView();
            var result = await new RebuildJob(
                stores.Versions, stores.Ids, TimeProvider.System).RunAsync(dataset, options, progress, cancel);
            return new VerbResult(Json(result), output => Text(output, result, dataset.ItemCount));
        });
        return command;
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
        validation = result.Report.Validation,
        gates = result.Report.Gates,
    };

    private static void Text(TextWriter output, RebuildResult result, int items)
    {
        var report = result.Report;
        output.WriteLine(
            $"version {report.Version}{(result.Activated ? " is active" : " is published, not active")}{(result.Previous is null ? "" : $" (before: {result.Previous})")}");
        foreach (var stage in report.Stages)
        {
            output.WriteLine($"  {stage.Stage,-12} {stage.Seconds,7:F1} s");
        }

        foreach (string line in report.Embeddings.SelectMany(embedding => embedding.Lines(items)))
        {
            output.WriteLine("  " + line);
        }

        foreach (var gate in report.Gates)
        {
            output.WriteLine($"  {(gate.Passed ? "passed" : "FAILED")}  {gate.Name,-24} {gate.Value:G5} ({gate.Bound})");
        }

        output.WriteLine($"  seed {report.Seed}, dataset sha256 {report.DatasetSha256}, split sha256 {report.SplitSha256 ?? "none"}");
    }
}
