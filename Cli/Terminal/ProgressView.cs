using System.Diagnostics;
using System.Globalization;
using Recsys.Catalog;
using Spectre.Console;

namespace Recsys.Cli.Terminal;

/// <summary>Shows the progress of long steps on standard error: bars on a terminal, a line every tenth otherwise.</summary>
internal sealed class ProgressView : IProgress<StageProgress>, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Tenth, long Started, long From)> _tenths = [];
    private readonly Dictionary<string, ProgressTask> _bars = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task? _live;
    private ProgressContext? _context;

    /// <param name="redirected">Lines, whatever standard error is; null: where it is no terminal.</param>
    public ProgressView(bool? redirected = null)
    {
        if ((redirected ?? Console.IsErrorRedirected) || Environment.GetEnvironmentVariable("TERM") is null or "dumb")
        {
            return;
        }

        var started = new ManualResetEventSlim();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        _live = Task.Run(() => console.Progress()
            .AutoClear(false)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new ElapsedTimeColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                _context = context;
                started.Set();
                await _done.Task;
            }));
        started.Wait();
    }

    public void Report(StageProgress value)
    {
        lock (_gate)
        {
            if (_context is { } context)
            {
                if (!_bars.TryGetValue(value.Stage, out var bar))
                {
                    _bars[value.Stage] = bar = context.AddTask(value.Stage, maxValue: Math.Max(1, value.Total));
                }

                bar.MaxValue = Math.Max(1, value.Total);
                bar.Value = value.Done;
                bar.Description = Markup.Escape($"{value.Stage,-12} {Words(value)}".TrimEnd());
                return;
            }

            long tenth = value.Total <= 0 ? 10 : value.Done * 10 / value.Total;
            bool known = _tenths.TryGetValue(value.Stage, out var last);
            if (!known || tenth != last.Tenth)
            {
                // A stage that goes back has begun again, on something else; one that was stopped goes on from where it was.
                bool goesOn = known && tenth > last.Tenth;
                var (started, from) = goesOn ? (last.Started, last.From) : (Stopwatch.GetTimestamp(), value.Done);
                _tenths[value.Stage] = (tenth, started, from);
                Console.Error.WriteLine(
                    $"{value.Stage,-12} {(value.Total <= 0 ? 100 : value.Done * 100 / value.Total),3} %  {value.Done}/{value.Total}  "
                    + $"{Left(value, value.Done - from, Stopwatch.GetElapsedTime(started))}{Words(value)}".TrimEnd());
            }
        }
    }

    public void Dispose()
    {
        _done.TrySetResult();
        _live?.Wait();
    }

    /// <param name="done">In <paramref name="elapsed"/>.</param>
    private static string Left(StageProgress value, long done, TimeSpan elapsed)
    {
        if (done <= 0 || value.Done >= value.Total || elapsed < TimeSpan.FromSeconds(1))
        {
            return "";
        }

        var left = elapsed * ((double)(value.Total - value.Done) / done);
        return FormattableString.Invariant($"{(long)left.TotalMinutes}:{left.Seconds:D2} left  ");
    }

    private static string Words(StageProgress value)
    {
        string metrics = value.Metrics is null
            ? ""
            : string.Join(
                ' ', value.Metrics.Select(metric => metric.Key + " " + metric.Value.ToString("G4", CultureInfo.InvariantCulture)));
        return $"{value.Note} {metrics}".Trim();
    }
}
