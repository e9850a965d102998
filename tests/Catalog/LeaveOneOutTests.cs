namespace Recsys.Catalog.Tests;

public sealed class LeaveOneOutTests
{
    private static readonly LeaveOneOut Split = Of([[1, 2, 3, 4, 5], [6, 7], [8, 9, 10], []]);

    [Fact]
    public void The_last_item_is_the_test_target_and_the_last_but_one_the_validation_target()
    {
        Assert.Equal([0, 2], Split.EvaluatedUsers);
        Assert.Equal((5, 4), (Split.TestTarget(0), Split.ValidationTarget(0)));
        Assert.Equal([1, 2, 3, 4], Split.TestHistory(0).ToArray());
        Assert.Equal([1, 2, 3], Split.ValidationHistory(0).ToArray());
    }

    [Fact]
    public void Nothing_held_out_is_in_the_training_part_and_short_histories_are_not_asked_for()
    {
        Assert.Equal([1, 2, 3], Split.Train[0].ToArray());
        Assert.Equal([6], Split.Train[1].ToArray());
        Assert.Equal([8], Split.Train[2].ToArray());
        Assert.Equal(Split.All.Count, Split.Train.Count);
    }

    [Fact]
    public void What_trained_one_night_is_no_target_of_a_later_one()
    {
        int[] all = [1, 2, 3, 4, 5, 6];
        for (int earlier = 0; earlier < all.Length; earlier++)
        {
            int[] trained = Of([all[..earlier]]).Train[0].ToArray();
            for (int later = Math.Max(3, earlier); later <= all.Length; later++)
            {
                var split = Of([all[..later]]);
                Assert.DoesNotContain(split.ValidationTarget(0), trained);
                Assert.DoesNotContain(split.TestTarget(0), trained);
            }
        }
    }

    [Fact]
    public void The_open_part_has_all_but_the_test_target()
    {
        var open = Split.TrainAndValidation;
        Assert.Equal([1, 2, 3, 4], open[0].ToArray());
        Assert.Equal([6, 7], open[1].ToArray());
        Assert.Equal([8, 9], open[2].ToArray());
        Assert.Empty(open[3].ToArray());
    }

    [Fact]
    public void The_hash_tells_protocols_apart()
    {
        Assert.Equal(Split.Sha256, Of([[1, 2, 3, 4, 5], [6, 7], [8, 9, 10], []]).Sha256);
        Assert.NotEqual(Split.Sha256, Of([[1, 2, 3, 5, 4], [6, 7], [8, 9, 10], []]).Sha256);
        Assert.NotEqual(Split.Sha256, Of([[1, 2, 3, 4, 5, 6], [7], [8, 9, 10], []]).Sha256);
    }

    private static LeaveOneOut Of(int[][] users)
    {
        int[] offsets = [0, .. users.Select((_, user) => users.Take(user + 1).Sum(items => items.Length))];
        return new LeaveOneOut(new SequenceSet([.. users.Select((_, user) => $"u{user}")], offsets, [.. users.SelectMany(items => items)]));
    }
}
