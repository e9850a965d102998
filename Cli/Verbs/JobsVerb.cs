using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Jobs.Scheduling;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

/// <summary>The scheduler: rebuilds by a cron expression until it is stopped.</summary>
internal static class JobsVerb
{
    private static readonly Option<string> Cron =
        VerbOption.Of("--cron", "Quartz cron expression in local time: second minute hour day month weekday.", "0 0 3 * * *");

    public static Command Create()
    {
        var command = new Command("jobs", "The scheduler: a rebuild every night.")
        {
            FolderOptions.Data, FolderOptions.Out, FolderOptions.Redis, FolderOptions.RedisPrefix, ConfigOption.Config, Cron,
            DeviceOption.Device, DatasetOptions.DropUnknown, DatasetOptions.Events,
        };
        command.OnCompute(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var options = parsed.Configuration();
        options = options with { Device = parsed.DeviceOr(options.Device) };
        string data = parsed.GetValue(FolderOptions.Data)!;
        using (Dataset.Open(data))
        {
            // A dataset that cannot be opened is said now, not at three in the morning.
        }

        await using var stores = await parsed.OpenStoresAsync(FolderOptions.Out, cancel);
        int runs = await NightlySchedule.RunAsync(
            parsed.GetValue(Cron)!, token => RebuildAsync(parsed, stores, data, options, token), Console.Error.WriteLine, cancel);
        return new VerbResult(new { runs }, output => output.WriteLine($"{runs} rebuilds"));
    }

    private static async Task<RebuildResult> RebuildAsync(
        ParseResult parsed, Stores stores, string data, RebuildOptions options, CancellationToken cancel)
    {
        parsed.BringEvents(data, stores.Versions.EventsNoted);
        using var dataset = parsed.Open(data); // anew each night
        ConvolutionNotice.Warn(RebuildJob.TrainsPictures(dataset, options));
        using var progress = new ProgressView();
        return await new RebuildJob(stores.Versions, stores.Ids, TimeProvider.System).RunAsync(dataset, options, progress, cancel);
    }
}
