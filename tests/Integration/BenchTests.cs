using Recsys.Bench;

namespace Recsys.Integration.Tests;

public class BenchTests
{
    [Fact]
    public void A_ratio_is_the_median_of_the_rounds_own_ratios()
    {
        // Medians of each side would give 2 / 4; round by round, what slowed both alike falls out.
        var measured = new BenchCase("case", "ms", [1, 2, 30], [4, 4, 40], "peer", 0.5, 0.5);
        Assert.Equal((2.0, 4.0, 0.5), (measured.Ours, measured.Peer, measured.Ratio));
        Assert.Equal([0.25, 0.75], measured.RatioSpread!);
        Assert.Equal(3, measured.Runs);
        Assert.True(measured.Met);
        Assert.False((measured with { Goal = 0.4 }).Met);
    }

    [Fact]
    public void Without_a_peer_there_is_no_ratio()
    {
        var measured = new BenchCase("case", "ms", [1, 2], null, null, null, 0.5);
        Assert.Equal((1.5, null, null), (measured.Ours, measured.Peer, measured.Ratio));
        Assert.Null(measured.Met);
    }

    [Fact]
    public async Task Rounds_out_of_range_are_refused()
    {
        var (code, _, error) = await Cli.HereAsync("bench", "torch", "--rounds", "0");
        Assert.Equal(3, code);
        Assert.Contains("allowed are 1 to 1000", error, StringComparison.Ordinal);
    }
}
