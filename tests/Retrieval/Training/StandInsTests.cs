using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class StandInsTests
{
    /// <summary>Items 0 to 2 point one way and 3 to 5 another; 5 has no interaction, and 6 neither one nor a feature.</summary>
    private static readonly int[] Interactions = [4, 2, 3, 1, 5, 0, 0];

    [Fact]
    public void A_cold_item_has_the_vectors_of_items_like_it_and_one_without_features_keeps_its_own()
    {
        using var scope = NewDisposeScope();
        var stand = StandIns.Of(Interactions, Features())!;
        Assert.Equal([5], stand.Items);
        Assert.Equal([3, 4], stand.Like[0].Take(2).Order());
        Assert.Equal(1, stand.Weights[0].Sum(), 1e-5);
        Assert.True(stand.Weights[0].Zip(stand.Like[0]).Where(of => of.Second < 3).Sum(of => of.First) < 0.01);

        var vectors = arange(0, 16, ScalarType.Float32).view(8, 2).clone();
        var before = vectors.clone();
        stand.Fill(vectors);
        Assert.InRange(vectors[5, 0].item<float>(), before[3, 0].item<float>() - 0.1, before[4, 0].item<float>() + 0.1);
        foreach (int item in new[] { 0, 1, 2, 3, 4, 6, 7 })
        {
            Assert.True(vectors[item].equal(before[item]).all().item<bool>());
        }
    }

    [Fact]
    public void Counts_are_shared_with_a_cold_item_as_follower_and_as_what_is_followed()
    {
        var stand = new StandIns([2], [[0, 1]], [[0.75f, 0.25f]]);
        // 0 → 1 (4), 1 → 0 (8), 3 → 0 (2), 3 → 1 (4)
        var table = new TransitionTable([0, 1, 2, 2, 4], [1, 0, 0, 1], [4, 8, 2, 4], [9, 9, 0, 9]);
        var filled = stand.Fill(table);
        Assert.Equal(table.Interactions, filled.Interactions);
        Assert.Equal([(1, 4), (2, 1)], Row(0)); // a quarter of 4
        Assert.Equal([(0, 8), (2, 6)], Row(1)); // three quarters of 8
        Assert.Equal([(0, 2), (1, 3)], Row(2)); // never itself
        Assert.Equal([(0, 2), (1, 4), (2, 2.5f)], Row(3));

        IEnumerable<(int, float)> Row(int item) => Enumerable
            .Range((int)filled.Starts[item], (int)(filled.Starts[item + 1] - filled.Starts[item]))
            .Select(pair => (filled.Followers[pair], filled.Counts[pair]));
    }

    [Fact]
    public void Without_features_or_cold_items_nothing_stands_in()
    {
        using var scope = NewDisposeScope();
        Assert.Null(StandIns.Of(Interactions, null));
        Assert.Null(StandIns.Of([1, 1, 1, 1, 1, 1, 1], Features()));
        Assert.Null(StandIns.Of([1, 1, 1, 1, 1, 1, 0], Features()));
    }

    private static Tensor Features() => tensor(
        new float[] { 1, 0, 1, 0.1f, 1, -0.1f, 0, 1, 0.1f, 1, 0, 1, 0, 0, 0, 0 }, [8, 2]); // the last row: of no item
}
