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
        var batches = PackedBatch.Pack(training, windows, 7 * 21).ToList();

        var pairs = new List<(int, int)>();
        foreach (var batch in batches)
        {
            Assert.Equal(7 * 21, batch.Items.Length);
            Assert.Equal((0, batch.Items.Length), (batch.Starts[0], batch.Starts[^1]));
            for (int window = 0; window < batch.Starts.Length - 1; window++)
            {
                for (int slot = batch.Starts[window]; slot < batch.Starts[window + 1]; slot++)
                {
                    if (batch.Items[slot] < 0)
                    {
                        Assert.Equal(1, batch.Starts[window + 1] - batch.Starts[window]);
                        continue;
                    }

                    Assert.Equal(slot - batch.Starts[window], batch.Positions[slot]);
                    Assert.Equal(slot == batch.Starts[window] ? -1 : batch.Items[slot - 1], batch.Previous[slot]);
                    pairs.Add((batch.Previous[slot], batch.Items[slot]));
                }
            }
        }

        var expected = from window in windows
                       from i in Enumerable.Range(window.Start, window.Length)
                       select (i == window.Start ? -1 : training.Items[i - 1], training.Items[i]);
        Assert.Equal(expected.Order(), pairs.Order());
        int learnable = Enumerable.Range(0, 300).Select(user => training[user].Length).Where(length => length >= 2).Sum();
        Assert.True(pairs.Count >= 0.99 * learnable);
    }

    [Fact]
    public void Full_batches_hold_little_padding()
    {
        var training = Sequences(3000, 25, 3);
        var batches = PackedBatch.Pack(training, TrainingWindows.OfEpoch(training, 21, new Random(1)), 21 * 60).ToList();
        double padding = batches.SkipLast(1).Average(batch => batch.Items.Count(item => item < 0) / (double)batch.Items.Length);
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

        return new SequenceSet(
            [.. Enumerable.Range(0, users).Select(user => $"u{user}")], offsets,
            [.. Enumerable.Range(0, offsets[^1]).Select(_ => random.Next(500))]);
    }
}
