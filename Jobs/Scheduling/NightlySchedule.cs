using System.Collections.Specialized;
using Quartz;
using Quartz.Impl;
using Recsys.Catalog;

namespace Recsys.Jobs;

/// <summary>Runs rebuilds on a Quartz cron schedule, never two at once; a failed one is told and the next night tries again.</summary>
public static class NightlySchedule
{
    private const string Rebuild = "rebuild", Say = "say", Runs = "runs", Stop = "stop";

    /// <param name="cron">Quartz cron: second minute hour day month weekday [year].</param>
    /// <param name="rebuild">One rebuild.</param>
    /// <param name="say">Receives one line an event.</param>
    /// <returns>Rebuilds that ended well, once <paramref name="cancel"/> stops the schedule.</returns>
    /// <exception cref="CatalogException">The expression is no Quartz cron expression.</exception>
    public static async Task<int> RunAsync(string cron, Func<CancellationToken, Task<RebuildResult>> rebuild, Action<string> say, CancellationToken cancel)
    {
        if (!CronExpression.IsValidExpression(cron))
        {
            throw CatalogException.Invalid($"--cron '{cron}' is no Quartz cron expression: write second minute hour day month weekday, for example '0 0 3 * * ?' for three every night.");
        }

        var scheduler = await new StdSchedulerFactory(new NameValueCollection
        {
            ["quartz.scheduler.instanceName"] = "recsys-" + Guid.NewGuid().ToString("N"),
            ["quartz.threadPool.threadCount"] = "1",
        }).GetScheduler(cancel);
        var runs = new StrongBox();
        var job = JobBuilder.Create<RebuildJob>()
            .SetJobData(new JobDataMap { [Rebuild] = rebuild, [Say] = say, [Runs] = runs, [Stop] = cancel })
            .Build();
        var trigger = TriggerBuilder.Create().WithCronSchedule(cron, schedule => schedule.WithMisfireHandlingInstructionFireAndProceed()).Build();
        var next = await scheduler.ScheduleJob(job, trigger, cancel);
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

        return runs.Value;
    }

    private sealed class StrongBox
    {
        public int Value;
    }

    [DisallowConcurrentExecution]
    private sealed class RebuildJob : IJob
    {
        public async Task Execute(IJobExecutionContext context)
        {
            var data = context.MergedJobDataMap;
            var say = (Action<string>)data[Say];
            var stop = (CancellationToken)data[Stop];
            if (stop.IsCancellationRequested)
            {
                return; // fired between the cancellation and the scheduler's end
            }

            try
            {
                var result = await ((Func<CancellationToken, Task<RebuildResult>>)data[Rebuild])(stop);
                Interlocked.Increment(ref ((StrongBox)data[Runs]).Value);
                say($"{result.Report.Version} {(result.Activated ? "is active" : "is published")}; next rebuild at {context.NextFireTimeUtc?.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}");
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
