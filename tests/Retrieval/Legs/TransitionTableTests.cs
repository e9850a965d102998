using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests.Legs;

public class TransitionTableTests
{
    private const int Items = 40;

    private static readonly SequenceSet Training = Tiny.Sequences(Items, users: 150, longest: 12, seed: 3);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0.5)]
    [InlineData(50, 1)]
    public void Counts_are_those_of_a_loop_over_all_pairs(int window, double power)
    {
        var table = TransitionTable.Count(Training, Items, window, distance => Math.Pow(distance, -power), 1000);
        var expected = new Dictionary<(int, int), double>();
        for (int user = 0; user < Training.Count; user++)
        {
            int[] walk = Training[user].ToArray();
            for (int from = 0; from < walk.Length; from++)
            {
                for (int to = from + 1; to < walk.Length; to++)
                {
                    if (to - from <= window && walk[from] != walk[to])
                    {
                        var pair = (walk[from], walk[to]);
                        expected[pair] = expected.GetValueOrDefault(pair) + Math.Pow(to - from, -power);
                    }
                }
            }
        }

        Assert.Equal(expected.Keys.Order(), Pairs(table).Select(pair => (pair.From, pair.To)));
        Assert.All(Pairs(table), pair => Assert.Equal(expected[(pair.From, pair.To)], pair.Count, 1e-5));
        Assert.Equal(Enumerable.Range(0, Items).Select(item => Training.Items.Count(other => other == item)), table.Interactions);
    }

    [Theory]
    [InlineData(1)] // an item each: any has more pairs
    [InlineData(300)]
    public void Items_counted_in_shares_have_the_counts_of_all_at_once(int maxPairs)
    {
        var whole = TransitionTable.Count(Training, Items, 5, distance => 1.0 / distance, 1000);
        var shares = TransitionTable.Count(Training, Items, 5, distance => 1.0 / distance, 1000, maxPairs);
        Assert.Equal(whole.Starts, shares.Starts);
        Assert.Equal(whole.Followers, shares.Followers);
        Assert.Equal(whole.Counts, shares.Counts);
    }

    [Fact]
    public void Of_too_many_followers_those_of_the_largest_counts_are_kept_and_of_equal_ones_the_first()
    {
        var whole = TransitionTable.Count(Training, Items, 5, _ => 1, 1000);
        var cut = TransitionTable.Count(Training, Items, 5, _ => 1, 4);
        var expected = Pairs(whole).GroupBy(pair => pair.From).SelectMany(row =>
            row.OrderByDescending(pair => pair.Count).ThenBy(pair => pair.To).Take(4).OrderBy(pair => pair.To));
        Assert.Contains(Pairs(whole).GroupBy(pair => pair.From), row => // a tie at the cut, or nothing is asked of it
            row.OrderByDescending(pair => pair.Count).Skip(3).Take(2).Select(pair => pair.Count).Distinct().Count() == 1);
        Assert.Equal(expected, Pairs(cut));
    }

    private static List<(int From, int To, float Count)> Pairs(TransitionTable table) =>
    [
        .. from item in Enumerable.Range(0, table.Items)
           from pair in Enumerable.Range((int)table.Starts[item], (int)(table.Starts[item + 1] - table.Starts[item]))
           select (item, table.Followers[pair], table.Counts[pair]),
    ];
}
