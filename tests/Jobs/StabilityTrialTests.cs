using Recsys.Catalog;
using Recsys.Jobs.Quantizers;

namespace Recsys.Jobs.Tests;

public sealed class StabilityTrialTests
{
    [Fact]
    public void The_earlier_night_lacks_the_latest_items_and_interactions_and_learns_from_no_target_of_the_later()
    {
        const int Items = 40, Users = 200;
        var random = new Random(3);
        // Items come up one after another: the later in a history, the higher the number.
        var histories = Enumerable.Range(0, Users).Select(_ => Enumerable.Range(0, random.Next(3, 12))
            .Select(at => Math.Min(Items - 1, (at * 3) + random.Next(8))).ToArray()).ToArray();
        int[] offsets = [0, .. histories.Select((_, user) => histories.Take(user + 1).Sum(history => history.Length))];
        var all = new SequenceSet([.. histories.Select((_, user) => $"u{user}")], offsets, [.. histories.SelectMany(items => items)]);

        var (items, sequences) = StabilityTrial.Cut(all, Items, 0.2);
        Assert.Equal(32, items.Length);
        Assert.Empty(sequences.Items.Except(items));
        Assert.True(items.Average() < Items / 2.0 - 2, $"{items.Average()}"); // late ones went
        Assert.InRange(1 - ((double)sequences.Items.Length / all.Items.Length), 0.2, 0.35);
        var (before, after) = (new LeaveOneOut(sequences).Train, new LeaveOneOut(all).Train);
        for (int user = 0; user < before.Count; user++)
        {
            int whole = Array.IndexOf(after.Users, before.Users[user]), at = 0;
            foreach (int item in before[user])
            {
                at += after[whole][at..].IndexOf(item) is var found and >= 0 ? found + 1 : throw new InvalidOperationException("a target");
            }
        }
    }
}
