using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Recsys.Torch.Tests.Distributed;

/// <summary>Ranks that die, stop or never come: the others learn of it in time and by a typed error.</summary>
public sealed class LostRankTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(2)]
    [InlineData(0)] // rank 0 serves the store and the watch
    public async Task A_killed_rank_is_a_typed_error_on_all_others_within_a_second(int victim)
    {
        var ranks = RankProcess.Start(3, "loop");
        try
        {
            foreach (var rank in ranks)
            {
                Assert.Equal("ready", await rank.LineAsync());
            }

            long killed = Stopwatch.GetTimestamp();
            ranks[victim].Kill();
            foreach (var other in ranks.Where((_, rank) => rank != victim))
            {
                var words = (await other.LineAsync()).Split(' ');
                Assert.Equal("fault PeerLost", words[0] + " " + words[1]);
                Assert.Equal(victim.ToString(CultureInfo.InvariantCulture), words[2]);
                var passed = Stopwatch.GetElapsedTime(killed, long.Parse(words[3], CultureInfo.InvariantCulture)); // one clock for all processes
                output.WriteLine($"{passed.TotalMilliseconds:F0} ms");
                Assert.InRange(passed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
                Assert.Equal(7, await other.ExitAsync());
            }
        }
        finally
        {
            ranks.ForEach(rank => rank.Dispose());
        }
    }

    [Fact]
    public async Task A_rank_that_dies_while_another_waits_for_it_alone_ends_the_wait()
    {
        var ranks = RankProcess.Start(2, "alone");
        try
        {
            foreach (var rank in ranks)
            {
                Assert.Equal("ready", await rank.LineAsync());
            }

            ranks[1].Kill();
            Assert.StartsWith("fault PeerLost 1", await ranks[0].LineAsync(), StringComparison.Ordinal);
        }
        finally
        {
            ranks.ForEach(rank => rank.Dispose());
        }
    }

    [Fact]
    public async Task A_stopped_rank_is_found_silent()
    {
        var ranks = RankProcess.Start(2, "alone", ("RECSYS_HEARTBEAT_TIMEOUT", "1"));
        try
        {
            foreach (var rank in ranks)
            {
                Assert.Equal("ready", await rank.LineAsync());
            }

            using var stop = Process.Start("bash", ["-c", $"kill -STOP {ranks[1].Id}"]);
            await stop.WaitForExitAsync();
            Assert.StartsWith("fault PeerSilent 1", await ranks[0].LineAsync(), StringComparison.Ordinal);
        }
        finally
        {
            ranks.ForEach(rank => rank.Dispose());
        }
    }

    [Fact]
    public async Task Plain_environment_variables_are_enough()
    {
        var ranks = RankProcess.Start(2, "sum");
        try
        {
            Assert.All(await Task.WhenAll(ranks.Select(rank => rank.LineAsync())), line => Assert.Equal("sum 3", line));
            Assert.All(await Task.WhenAll(ranks.Select(rank => rank.ExitAsync())), code => Assert.Equal(0, code));
        }
        finally
        {
            ranks.ForEach(rank => rank.Dispose());
        }
    }
}
