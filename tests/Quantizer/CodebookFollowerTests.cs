using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Tests;

public class CodebookFollowerTests
{
    private static readonly QuantizerOptions Options = new()
    {
        RqVae = new RqVaeOptions { EmaDecay = 0.5, DeadCodeShare = 0.1, BatchSize = 4 },
        BalanceStrength = 0,
    };

    [Fact]
    public void Codes_move_to_the_running_mean_of_their_residuals()
    {
        using var scope = NewDisposeScope();
        var (codebooks, follower) = Make(Options);

        // Before: count 1 and sum 0 each. Code 0 gets 3 residuals of sum 6, code 1 one of 8.
        follower.Follow(Pass([1, 2, 3, 8], [0, 0, 0, 1]));
        Assert.Equal(6 * 0.5 / ((1 * 0.5) + (3 * 0.5)), codebooks.Codes[0][0, 0].ToDouble(), 5);
        Assert.Equal(8 * 0.5 / ((1 * 0.5) + (1 * 0.5)), codebooks.Codes[0][1, 0].ToDouble(), 5);
    }

    [Fact]
    public void A_dead_code_is_revived_on_a_residual_and_stays_there()
    {
        using var scope = NewDisposeScope();
        var (codebooks, follower) = Make(Options);
        float[] residuals = [5, 6, 5, 6];
        for (int step = 0; step < 4; step++)
        {
            follower.Follow(Pass(residuals, [0, 0, 0, 0])); // code 1's count halves: 1, .5, .25, .125 < .1 · 2
        }

        double revived = codebooks.Codes[0][1, 0].ToDouble();
        Assert.Contains(revived, new double[] { 5, 6 });

        // Its running state was reset with it: a step in which nobody chooses it leaves it in place.
        follower.Follow(Pass(residuals, [0, 0, 0, 0]));
        Assert.Equal(revived, codebooks.Codes[0][1, 0].ToDouble(), 5);
    }

    [Fact]
    public void Codes_that_follow_the_gradient_are_left_alone()
    {
        using var scope = NewDisposeScope();
        var (codebooks, follower) = Make(Options with { RqVae = Options.RqVae with { CodebookUpdate = CodebookUpdate.Gradient } });
        follower.Follow(Pass([1, 2, 3, 8], [0, 0, 0, 1]));
        Assert.Equal(0, codebooks.Codes[0].abs().sum().ToDouble());
    }

    [Fact]
    public void A_revived_code_has_no_price_and_no_moments_of_what_it_was()
    {
        using var scope = NewDisposeScope();
        using var codebooks = new ResidualCodebooks([2], 1, trainable: true);
        using var optimizer = new FusedAdamW(codebooks.parameters(), 0.1);
        var options = Options with { RqVae = Options.RqVae with { CodebookUpdate = CodebookUpdate.Gradient } };
        var follower = new CodebookFollower(codebooks, options, new Random(1), optimizer);
        using (no_grad())
        {
            codebooks.Prices[0].fill_(3);
        }

        (codebooks.Codes[0] * tensor(new[] { 1f, 100f }, [2, 1])).sum().backward();
        optimizer.step();
        for (int step = 0; step < 4; step++)
        {
            follower.Follow(Pass([5, 5, 5, 5], [0, 0, 0, 0]));
        }

        Assert.Equal([3f, 0f], codebooks.Prices[0].data<float>().ToArray());
        codebooks.zero_grad();
        (codebooks.Codes[0] * 0).sum().backward(); // no gradient: what moves a code now are its moments
        double neighbour = codebooks.Codes[0][0, 0].ToDouble();
        optimizer.step();
        Assert.Equal(5, codebooks.Codes[0][1, 0].ToDouble(), 6);
        Assert.NotEqual(neighbour, codebooks.Codes[0][0, 0].ToDouble(), 4);
    }

    [Fact]
    public void Prices_make_unequal_codes_equally_popular()
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var x = tensor(Enumerable.Range(0, 3000).Select(_ => (float)(random.NextDouble() * random.NextDouble())).ToArray(), [3000, 1]);
        using var codebooks = new ResidualCodebooks([4], 1);
        using var _ = no_grad();
        codebooks.Codes[0].copy_(tensor(new[] { 0.1f, 0.3f, 0.6f, 0.9f }, [4, 1]));
        var prices = zeros(4);
        double error = (codebooks.Distances(x, 0).amin(1) + x.pow(2).sum(1)).mean().ToDouble();
        Assert.True(CodePrices.Improve(codebooks, 0, x, prices, 0.005 / error, 2000, candidates: 4));
        codebooks.Prices[0].copy_(prices);
        var counts = bincount(codebooks.Nearest(x, 0), minlength: 4).data<long>().ToArray();
        Assert.All(counts, count => Assert.InRange(count, 600, 900));
    }

    private static (ResidualCodebooks Codebooks, CodebookFollower Follower) Make(QuantizerOptions options)
    {
        var codebooks = new ResidualCodebooks([2], 1);
        return (codebooks, new CodebookFollower(codebooks, options, new Random(1)));
    }

    private static RqVaePass Pass(float[] residuals, long[] codes)
        => new(zeros(1), zeros(1), zeros(1), [tensor(codes)], [tensor(residuals, [residuals.Length, 1])]);
}
