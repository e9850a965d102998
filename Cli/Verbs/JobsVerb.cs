using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Jobs.Scheduling;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

internal static class JobsVerb
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The dataset folder, read anew each night.", Required = true };
        var target = new Option<string>("--out") { Description = "Folder of versions.", DefaultValueFactory = _ => "versions" };
        var redis = new Option<string?>("--redis") { Description = "Redis connection string (default: RECSYS_REDIS, else a private "
            + "Redis in the folder of versions)." };
        var config = new Option<string?>("--config") { Description = "JSON file of rebuild options." };
        var cron = new Option<string>("--cron") { Description = "Quartz cron expression in local time: second minute hour day month weekday.", DefaultValueFactory = _ => "0 0 3 * * *" };
        var device = DeviceOption.Create();
        var command = new Command("jobs", "The scheduler: a rebuild every night.")
        {
            data, target, redis, ClientVerb.RedisPrefix, config, cron, device, DatasetOptions.DropUnknown,
        };
        command.OnCompute(async (parsed, cancel) =>
        {
            var options = parsed.GetValue(config) is { } file ? RebuildOptions.Read(file) : new RebuildOptions();
            options = options with { Device = DeviceOption.Of(parsed, device, options.Device) };
            string path = parsed.GetValue(data)!;
            using (Dataset.Open(path))
            {
                // A dataset that cannot be opened is said now, not at three in the morning.
            }

            await using var stores = await Stores.OpenAsync(
                Path.GetFullPath(parsed.GetValue(target)!), parsed.GetValue(redis), parsed.GetValue(ClientVerb.RedisPrefix), cancel);
            int runs = await NightlySchedule.RunAsync(
                parsed.GetValue(cron)!,
                async token =>
                {
                    using var dataset = parsed.Open(path);
                    ConvolutionNotice.Warn(RebuildJob.TrainsPictures(dataset, options));
                    using var progress = new ProgressView();
                    return await new RebuildJob(
                        stores.Versions, stores.Ids, TimeProvider.System).RunAsync(dataset, options, progress, token);
                },
                line => Console.Error.WriteLine(line),
                cancel);
            return new VerbResult(new { runs }, output => output.WriteLine($"{runs} rebuilds"));
        });
        return command;
    }
}
