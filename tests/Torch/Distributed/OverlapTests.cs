using Xunit.Abstractions;

namespace Recsys.Torch.Tests.Distributed;

/// <summary>What a step costs on two ranks, with the sums of gradients beside backward and behind it.</summary>
public sealed class OverlapTests(ITestOutputHelper output)
{
    [FullFact]
    public async Task The_step_times_of_two_ranks_are_measured()
    {
        var ranks = RankProcess.Start(2, "overlap");
        try
        {
            string line = await ranks[0].LineAsync();
            output.WriteLine(line);
            Assert.StartsWith("ms a step: ", line, StringComparison.Ordinal);
            Assert.All(await Task.WhenAll(ranks.Select(rank => rank.ExitAsync())), code => Assert.Equal(0, code));
        }
        finally
        {
            ranks.ForEach(rank => rank.Dispose());
        }
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class FullFactAttribute : FactAttribute
{
    public FullFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("RECSYS_FULL") != "1")
        {
            Skip = "A measurement: set RECSYS_FULL=1.";
        }
    }
}
