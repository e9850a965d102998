using Recsys.Catalog;
using Recsys.Cli.Terminal;

namespace Recsys.Cli.Tests.Terminal;

[Collection(nameof(Console))]
public sealed class ProgressViewTests
{
    [Fact]
    public void Into_a_file_each_tenth_is_a_line_with_the_time_left_and_a_stage_that_begins_again_is_seen_again()
    {
        var before = Console.Error;
        using var error = new StringWriter();
        Console.SetError(error);
        try
        {
            using var view = new ProgressView(redirected: true);
            view.Report(new StageProgress("evaluate", 0, 20, "nothing removed"));
            Thread.Sleep(1100); // before a second is over there is nothing to reckon from
            foreach (int done in new[] { 1, 2, 3, 20 })
            {
                view.Report(new StageProgress("evaluate", done, 20, "nothing removed"));
            }

            view.Report(new StageProgress("evaluate", 1, 20, "seen removed"));
        }
        finally
        {
            Console.SetError(before);
        }

        string[] lines = error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.Contains(" 0 %", lines[0], StringComparison.Ordinal);
        Assert.Matches("10 %  2/20  \\d+:\\d\\d left  nothing removed", lines[1]);
        Assert.EndsWith("100 %  20/20  nothing removed", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("5 %  1/20  seen removed", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage_that_goes_on_where_it_was_stopped_reckons_from_there()
    {
        var before = Console.Error;
        using var error = new StringWriter();
        Console.SetError(error);
        try
        {
            using var view = new ProgressView(redirected: true);
            view.Report(new StageProgress("generative", 500, 1000));
            Thread.Sleep(1200);
            view.Report(new StageProgress("generative", 600, 1000)); // 100 took a second: 400 more take some four, not one
        }
        finally
        {
            Console.SetError(before);
        }

        string line = error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        int seconds = int.Parse(System.Text.RegularExpressions.Regex.Match(line, @"60 %  600/1000  0:(\d\d) left").Groups[1].Value);
        Assert.InRange(seconds, 4, 59);
    }
}
