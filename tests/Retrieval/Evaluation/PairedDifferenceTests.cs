using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Tests.Evaluation;

public class PairedDifferenceTests
{
    [Fact]
    public void The_interval_is_the_textbooks()
    {
        double[] after = [1, 1, 0, 1, 0, 0, 1, 0], before = [1, 0, 0, 0, 0, 1, 1, 0];
        // Differences 0 1 0 1 0 −1 0 0: mean 1/8, sum of squares 3, variance (3 − 8/64) / 7.
        double error = Math.Sqrt((3 - (8.0 / 64)) / 7 / 8);
        var (low, high) = PairedDifference.Interval(after, before, 1.96);
        Assert.Equal(0.125 - (1.96 * error), low, 12);
        Assert.Equal(0.125 + (1.96 * error), high, 12);
    }

    [Fact]
    public void Pairs_tell_apart_what_two_samples_cannot()
    {
        var before = Enumerable.Range(0, 1000).Select(user => user < 500 ? 1.0 : 0).ToArray();
        var after = Enumerable.Range(0, 1000).Select(user => user < 480 ? 1.0 : 0).ToArray(); // 20 of 500 hits lost, none gained
        Assert.True(PairedDifference.Interval(after, before, 1.96).High < 0);
        Assert.True(PairedDifference.Unpaired(0.48, 0.5, 1000, 1.96).High > 0);
    }

    [Fact]
    public void Equal_answers_of_few_users_still_leave_doubt()
    {
        var (low, high) = PairedDifference.Interval([0, 1, 0], [0, 1, 0], 1.96);
        Assert.Equal(1.96 / 3, high, 12);
        Assert.Equal(-high, low, 12);
    }
}
