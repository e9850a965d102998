using Quartz;
using Recsys.Catalog;
using Recsys.Jobs.NightlyRebuild;

namespace Recsys.Jobs.Scheduling;

/// <summary>Runs rebuilds on a Quartz cron schedule, never two at once; a failed one is told and the next night tries again.</summary>
public static class NightlySchedule
{
    /// <param name="cron">
    /// Quartz cron in this machine's local time: second minute hour day month weekday [year]. A time that the change to summer time
    /// leaves out comes at the change's end (02:30 at 03:00); a day and a weekday together mean either.
    /// </param>
    /// <param name="rebuild">One rebuild.</param>
    /// <param name="say">Receives one line an event.</param>
    /// <param name="cancel">Stops the schedule; a running rebuild sees it too, and is waited for.</param>
    /// <returns>Rebuilds that ended well, once <paramref name="cancel"/> stops the schedule.</returns>
    /// <exception cref="CatalogException">InvalidArgument: no Quartz cron expression, or its last time is past.</exception>
    public static async Task<int> RunAsync(
        string cron, Func<CancellationToken, Task<RebuildResult>> rebuild, Action<string> say, CancellationToken cancel)
    {
        var times = Parse(cron);
        var job = new RebuildJob(rebuild, say, cancel);
        await using var factory = QuartzSchedulerBuilder.Create(quartz => quartz.UseDefaultThreadPool(1).AddJobType(_ => job)).Build();
        var scheduler = await factory.GetScheduler(cancel);
        var trigger = TriggerBuilder.Create<RebuildJob>()
            .WithSchedule(CronScheduleBuilder.Create(times).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed))
            .Build();
        var next = await scheduler.ScheduleJob<RebuildJob>(trigger, null, cancel);
        say($"next rebuild at {next.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}");
        await scheduler.Start(cancel);
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }
        catch (OperationCanceledException)
        {
            await Task.Yield(); // the canceller may be the job itself, which must return before it can be waited for
            // The running rebuild sees the same token: it is waited for, so that none goes on behind the caller's back.
            await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        }

        return job.Runs;
    }

    /// <summary>The times of a schedule, in this machine's time zone unless another is set.</summary>
    /// <exception cref="CatalogException">InvalidArgument: no Quartz cron expression, or its last time is past.</exception>
    public static CronExpression Parse(string cron) =>
        CronExpression.TryParse(cron, out var times) && times.GetNextValidTimeAfter(TimeProvider.System.GetUtcNow()) is not null
            ? times
            : throw CatalogException.Invalid(
                $"--cron '{cron}' is no Quartz cron expression with a time to come: write second minute hour day month weekday, for "
                + "example '0 0 3 * * *' for three every night.");

    [DisallowConcurrentExecution]
    private sealed class RebuildJob(Func<CancellationToken, Task<RebuildResult>> rebuild, Action<string> say, CancellationToken stop) : IJob
    {
        /// <summary>Rebuilds that ended well.</summary>
        public int Runs { get; private set; }

        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            if (stop.IsCancellationRequested)
            {
                return; // fired between the cancellation and the scheduler's end
            }

            try
            {
                var result = await rebuild(stop);
                Runs++;
                say($"{result.Report.Version} {(result.Activated ? "is active" : "is published")}; next rebuild at "
                    + $"{context.NextFireTimeUtc?.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}");
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                say("the rebuild was stopped; the active version stays");
            }
            catch (Exception e)
            {
                // Tonight's rebuild failed, the active version stays; the schedule goes on.
                say($"the rebuild failed and the active version stays: {e.Message}");
            }
        }
    }
}
