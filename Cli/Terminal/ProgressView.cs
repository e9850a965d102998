using System.Globalization;
using Recsys.Catalog;
using Spectre.Console;

namespace Recsys.Cli.Terminal;

/// <summary>Shows the progress of long steps on standard error: bars on a terminal, a line every tenth otherwise.</summary>
internal sealed class ProgressView : IProgress<StageProgress>, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _tenths = [];
    private readonly Dictionary<string, ProgressTask> _bars = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task? _live;
    private ProgressContext? _context;

    public ProgressView()
    {
        if (Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is null or "dumb")
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
            if (!_tenths.TryGetValue(value.Stage, out long last) || tenth > last)
            {
                _tenths[value.Stage] = tenth;
                Console.Error.WriteLine(
                    $"{value.Stage,-12} {(value.Total <= 0 ? 100 : value.Done * 100 / value.Total),3} %  {value.Done}/{value.Total}  "
                    + $"{Words(value)}".TrimEnd());
            }
        }
    }

    public void Dispose()
    {
        _done.TrySetResult();
        _live?.Wait();
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
