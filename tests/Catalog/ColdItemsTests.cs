namespace Recsys.Catalog.Tests;

public class ColdItemsTests
{
    private const int Items = 40;

    private static readonly SequenceSet All = Sequences();

    [Fact]
    public void Drawn_items_are_left_in_targets_alone()
    {
        var cold = ColdItems.Draw(All, Items, 0.1, 3);
        var drawn = cold.Items.ToHashSet();
        Assert.Equal(4, drawn.Count);
        int cut = 0, targets = 0;
        for (int user = 0; user < cold.Sequences.Count; user++)
        {
            int before = Array.IndexOf(All.Users, cold.Sequences.Users[user]);
            int[] whole = All[before].ToArray(), left = cold.Sequences[user].ToArray();
            Assert.True(left.Length >= 3);
            Assert.Equal([.. whole.SkipLast(2).Where(item => !drawn.Contains(item)), .. whole.TakeLast(2)], left);
            cut += whole.Length - left.Length;
            targets += drawn.Contains(left[^1]) ? 1 : 0;
        }

        Assert.True(cut > 10);
        Assert.True(targets > 5);
        Assert.Equal(targets, cold.Targets);
        Assert.DoesNotContain(new LeaveOneOut(cold.Sequences).Train.Items, drawn.Contains);
    }

    [Fact]
    public void Users_without_anything_left_before_two_targets_go()
    {
        var cold = ColdItems.Draw(All, Items, 0.5, 3);
        var drawn = cold.Items.ToHashSet();
        var gone = All.Users.Except(cold.Sequences.Users).ToArray();
        Assert.NotEmpty(gone);
        Assert.All(gone, user => Assert.True(
            All[Array.IndexOf(All.Users, user)].Length < 3
            || All[Array.IndexOf(All.Users, user)][..^2].ToArray().All(drawn.Contains)));
    }

    [Fact]
    public void A_seed_draws_the_same_items_and_another_one_others()
    {
        Assert.Equal(ColdItems.Draw(All, Items, 0.2, 3).Items, ColdItems.Draw(All, Items, 0.2, 3).Items);
        Assert.NotEqual(ColdItems.Draw(All, Items, 0.2, 3).Items, ColdItems.Draw(All, Items, 0.2, 4).Items);
    }

    private static SequenceSet Sequences()
    {
        var random = new Random(1);
        int[][] users = [.. Enumerable.Range(0, 100).Select(
            user => Enumerable.Range(0, 1 + (user % 9)).Select(_ => random.Next(Items)).ToArray())];
        int at = 0;
        return new SequenceSet(
            [.. users.Select((_, user) => $"u{user}")], [0, .. users.Select(user => at += user.Length)],
            [.. users.SelectMany(user => user)]);
    }
}
