using System.Globalization;
using System.Text.RegularExpressions;
using Recsys.Catalog;
using Recsys.Cli.Terminal;

namespace Recsys.Cli.Tests.Terminal;

[Collection(nameof(Console))]
public sealed class ProgressViewTests
{
    [Fact]
    public void Into_a_file_each_tenth_is_a_line_with_the_time_left_and_a_stage_that_begins_again_is_seen_again()
    {
        string[] lines = Lines(view =>
        {
            view.Report(new StageProgress("evaluate", 0, 20, "nothing removed"));
            Thread.Sleep(1100); // before a second is over there is nothing to reckon from
            foreach (int done in new[] { 1, 2, 3, 20 })
            {
                view.Report(new StageProgress("evaluate", done, 20, "nothing removed"));
            }

            view.Report(new StageProgress("evaluate", 1, 20, "seen removed"));
        });
        Assert.Equal(4, lines.Length);
        Assert.Contains(" 0 %", lines[0], StringComparison.Ordinal);
        Assert.Matches("10 %  2/20  \\d+:\\d\\d left  nothing removed", lines[1]);
        Assert.EndsWith("100 %  20/20  nothing removed", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("5 %  1/20  seen removed", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage_that_goes_on_where_it_was_stopped_reckons_from_there()
    {
        string[] lines = Lines(view =>
        {
            view.Report(new StageProgress("generative", 500, 1000));
            Thread.Sleep(1200);
            view.Report(new StageProgress("generative", 600, 1000));
        });
        var left = Regex.Match(lines[^1], @"60 %  600/1000  (\d+):(\d\d) left").Groups;
        int Number(int group) => int.Parse(left[group].Value, CultureInfo.InvariantCulture);
        Assert.True((60 * Number(1)) + Number(2) >= 4, lines[^1]); // 100 took 1.2 s at least, 400 more are left; of 600, it would be .8 s
    }

    /// <summary>What a view writes where standard error is a file.</summary>
    private static string[] Lines(Action<ProgressView> report)
    {
        var before = Console.Error;
        using var error = new StringWriter();
        Console.SetError(error);
        try
        {
            using var view = new ProgressView(redirected: true);
            report(view);
        }
        finally
        {
            Console.SetError(before);
        }

        return error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
