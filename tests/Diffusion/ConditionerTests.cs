using Recsys.Catalog;
using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

public class ConditionerTests
{
    private static readonly int[] Sizes = [4, 5, 6];

    private static SemanticId Id(params ushort[] codes) => new(codes);

    [Fact]
    public void A_code_changes_the_condition_and_the_collision_token_does_not()
    {
        using var scope = NewDisposeScope();
        using var conditioner = new SemanticIdConditioner(Sizes, 8);
        var vec = conditioner.Encode([Id(1, 2, 3), Id(1, 2, 4), Id(1, 2, 3).WithCollision(7)]).Vec;
        Assert.False(vec[0].equal(vec[1]).all().item<bool>());
        Assert.True(vec[0].equal(vec[2]).all().item<bool>());
    }

    [Fact]
    public void Dropping_a_suffix_is_asking_for_the_prefix()
    {
        using var scope = NewDisposeScope();
        using var conditioner = new SemanticIdConditioner(Sizes, 8, dropAll: .1, dropLevel: .1);
        var id = Id(3, 0, 5);
        Assert.Equal(default, conditioner.Drop(id, .05));
        Assert.Equal(Id(3), conditioner.Drop(id, .15));
        Assert.Equal(Id(3, 0), conditioner.Drop(id, .25));
        Assert.Equal(id, conditioner.Drop(id, .35));
        Assert.Equal(id, conditioner.Drop(id, .999));
        var vec = conditioner.Encode([conditioner.Drop(id, .25), Id(3, 0), SemanticIdConditioner.Prefix(id, 2)]).Vec;
        Assert.True(vec[0].equal(vec[1]).all().item<bool>() && vec[0].equal(vec[2]).all().item<bool>());
    }

    [Fact]
    public void Drop_rates_are_those_of_the_recipe()
    {
        using var conditioner = new SemanticIdConditioner(Sizes, 8, dropAll: .1, dropLevel: .1);
        using var generator = new Generator(5);
        const int Draws = 100_000;
        var kept = new UniformTimes().Draw(Draws, generator)
            .Select(u => conditioner.Drop(Id(1, 1, 1), u).Levels)
            .GroupBy(levels => levels).ToDictionary(g => g.Key, g => g.Count());
        foreach (var (levels, rate) in new[] { (0, .1), (1, .1), (2, .1), (3, .7) })
        {
            Assert.Equal(rate * Draws, kept[levels], 4 * Math.Sqrt(Draws * rate * (1 - rate)));
        }
    }

    [Fact]
    public void Without_drops_everything_is_kept()
    {
        using var conditioner = new SemanticIdConditioner(Sizes, 8, dropAll: 0, dropLevel: 0);
        Assert.Equal(Id(1, 1, 1), conditioner.Drop(Id(1, 1, 1), 0));
        using var onlyAll = new SemanticIdConditioner(Sizes, 8, dropAll: .1, dropLevel: 0);
        Assert.Equal(default, onlyAll.Drop(Id(1, 1, 1), .09));
        Assert.Equal(Id(1, 1, 1), onlyAll.Drop(Id(1, 1, 1), .11));
    }

    [Fact]
    public void The_null_condition_is_learned()
    {
        using var scope = NewDisposeScope();
        using var conditioner = new SemanticIdConditioner(Sizes, 8);
        conditioner.Encode([conditioner.Null]).Vec.sum().backward();
        foreach (var (table, size) in conditioner.parameters().Zip(Sizes))
        {
            Assert.Equal(8, table.grad!.sum().item<float>()); // the null row's gradient of 1 in each of 8 columns, nothing elsewhere
            Assert.Equal(8, table.grad![size].sum().item<float>());
        }
    }

    [Fact]
    public void A_code_outside_the_codebook_is_a_typed_error()
    {
        using var conditioner = new SemanticIdConditioner(Sizes, 8);
        Assert.Contains(
            "does not fit", Assert.Throws<CatalogException>(() => conditioner.Encode([Id(4, 0, 0)])).Message, StringComparison.Ordinal);
        Assert.Throws<CatalogException>(() => conditioner.Encode([Id(0, 0, 0, 0)]));
    }
}
