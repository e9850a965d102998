using Recsys.Catalog;
using Recsys.Jobs.Scheduling;

namespace Recsys.Jobs.Tests;

/// <summary>When a schedule fires on the two days of the year that have not 24 hours, as docs/operations.md says it.</summary>
public sealed class NightlyScheduleTests
{
    /// <summary>Central Europe: on 29 March 2026 02:00 becomes 03:00, on 25 October 2026 03:00 becomes 02:00.</summary>
    private static readonly TimeZoneInfo Europe = TimeZoneInfo.CreateCustomTimeZone(
        "test", TimeSpan.FromHours(1), "test", "winter", "summer",
    [
        TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
            DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1),
            TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
            TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday)),
    ]);

    [Theory]
    [InlineData("0 0 4 * * *", "2026-03-28T12:00Z", "2026-03-29T02:00Z")] // 04:00 summer time
    [InlineData("0 30 2 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z")] // there is no 02:30: at 03:00, the change's end
    [InlineData("0 30 2 * * *", "2026-03-29T02:00Z", "2026-03-30T00:30Z")] // and the night after at 02:30 again
    [InlineData("0 0 4 * * *", "2026-10-24T12:00Z", "2026-10-25T03:00Z")] // 04:00 winter time
    public void On_the_days_of_the_change_a_rebuild_comes_once_at_the_documented_time(string cron, string after, string next) =>
        Assert.Equal(DateTimeOffset.Parse(next, null), Next(cron, after));

    [Fact]
    public void An_hour_that_comes_twice_rebuilds_once()
    {
        var first = Next("0 30 2 * * *", "2026-10-24T12:00Z");
        Assert.Equal(DateTimeOffset.Parse("2026-10-26T01:30Z", null), Next("0 30 2 * * *", first.ToString("O")));
    }

    [Fact]
    public void A_day_of_the_month_and_a_weekday_together_mean_either()
    {
        Assert.Equal(DateTimeOffset.Parse("2026-07-05T01:00Z", null), Next("0 0 3 15 * SUN", "2026-07-01T12:00Z")); // a Sunday
        Assert.Equal(DateTimeOffset.Parse("2026-07-15T01:00Z", null), Next("0 0 3 15 * SUN", "2026-07-12T12:00Z")); // a Wednesday
    }

    [Theory]
    [InlineData("0 3 * * *")] // five fields, as cron of Unix has them
    [InlineData("0 60 3 * * *")]
    [InlineData("0 0 24 * * *")]
    [InlineData("0 0 3 32 * *")]
    [InlineData("0 0 3 * * MON-XYZ")]
    [InlineData("0 0 3 * * * 2020")] // past
    [InlineData("@nightly")]
    [InlineData("every night")]
    [InlineData("")]
    public void What_is_no_Quartz_expression_with_a_time_to_come_is_refused_with_an_example(string cron)
    {
        var refused = Assert.Throws<CatalogException>(() => NightlySchedule.Parse(cron));
        Assert.Equal(Fault.InvalidArgument, refused.Fault);
        Assert.Contains($"--cron '{cron}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'0 0 3 * * *'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_question_mark_is_no_longer_needed_and_means_any_day()
    {
        Assert.Equal(Next("0 0 3 * * *", "2026-07-01T12:00Z"), Next("0 0 3 ? * *", "2026-07-01T12:00Z"));
        Assert.Equal(Next("0 0 3 * * SUN", "2026-07-01T12:00Z"), Next("0 0 3 ? * SUN", "2026-07-01T12:00Z"));
    }

    [Fact]
    public void Times_are_the_machines_own_as_documented()
    {
        Assert.Equal(TimeZoneInfo.Local, NightlySchedule.Parse("0 0 3 * * *").TimeZone);
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "operations.md"));
        Assert.Contains("in the machine's local time", page, StringComparison.Ordinal);
    }

    private static DateTimeOffset Next(string cron, string after) =>
        NightlySchedule.Parse(cron).WithTimeZone(Europe).GetNextValidTimeAfter(DateTimeOffset.Parse(after, null))!.Value;
}
