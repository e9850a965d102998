using Recsys.Server.Selftest;
using Recsys.Torch;

namespace Recsys.Integration.Tests;

public class SelftestTests
{
    [Fact]
    public void Every_check_passes_on_the_CPU()
    {
        var results = Suite.Run(torch.CPU, seed: 7);
        Assert.All(results, result => Assert.True(result.Passed, $"{result.Name}: {result.Error} above {result.Limit} {result.Fault}"));
        Assert.InRange(results.Count, 600, int.MaxValue);
    }

    [Fact]
    public void A_wrong_operator_fails_where_it_is_wrong()
    {
        using var scope = torch.NewDisposeScope();
        bool[] Of(Func<torch.Tensor[], torch.Tensor> run) => [.. new NumericCheck("x", [[4, 5]], run).Check(torch.CPU, 7).Select(result => result.Passed)];
        Assert.Equal([true, true, true], Of(x => x[0].exp()));
        Assert.Equal([false, true, true], Of(x => x[0].dtype == torch.ScalarType.Float32 ? x[0].exp() * 1.01 : x[0].exp()));
        Assert.Equal([true, true, false], Of(x => x[0].exp() + x[0].detach()));
        Assert.Equal([false, false], Of(x => x[0] + torch.randn_like(x[0])).Take(2));
    }
}
