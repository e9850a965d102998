using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class PackedBatchTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_interaction_is_a_target_once_an_epoch_after_its_own_predecessor(int seed)
    {
        var training = Sequences(300, 60, seed);
        var windows = TrainingWindows.OfEpoch(training, 21, new Random(seed));
        Assert.All(windows, window => Assert.InRange(window.Length, 2, 21));
        var batches = PackedBatch.Pack(training, windows, 21, 7).ToList();

        var pairs = new List<(int, int)>();
        foreach (var batch in batches)
        {
            Assert.InRange(batch.Rows, 1, 7);
            for (int slot = 0; slot < batch.Items.Length; slot++)
            {
                if (batch.Items[slot] < 0)
                {
                    Assert.Equal(0, batch.Segments[slot]);
                    continue;
                }

                Assert.Equal(batch.Positions[slot] == 0 ? -1 : batch.Items[slot - 1], batch.Previous[slot]);
                Assert.True(batch.Positions[slot] == 0 || batch.Segments[slot] == batch.Segments[slot - 1]);
                pairs.Add((batch.Previous[slot], batch.Items[slot]));
            }
        }

        var expected = windows.SelectMany(window => Enumerable.Range(window.Start, window.Length).Select(i => (i == window.Start ? -1 : training.Items[i - 1], training.Items[i])));
        Assert.Equal(expected.Order(), pairs.Order());
        Assert.True(pairs.Count >= 0.99 * Enumerable.Range(0, 300).Where(user => training[user].Length >= 2).Sum(user => training[user].Length));
    }

    [Fact]
    public void Full_batches_hold_little_padding()
    {
        var training = Sequences(3000, 25, 3);
        var batches = PackedBatch.Pack(training, TrainingWindows.OfEpoch(training, 21, new Random(1)), 21, 60).ToList();
        double padding = batches.SkipLast(2).Average(batch => batch.Items.Count(item => item < 0) / (double)batch.Items.Length);
        Assert.True(padding < 0.05, $"{padding:P1} of the slots are padding");
    }

    private static SequenceSet Sequences(int users, int longest, int seed)
    {
        var random = new Random(seed);
        var offsets = new int[users + 1];
        for (int user = 0; user < users; user++)
        {
            offsets[user + 1] = offsets[user] + random.Next(1, longest + 1);
        }

        return new SequenceSet([.. Enumerable.Range(0, users).Select(user => $"u{user}")], offsets, [.. Enumerable.Range(0, offsets[^1]).Select(_ => random.Next(500))]);
    }
}
