using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests.Legs;

public class TransitionLegTests
{
    // Followers of 0: 1 (2) and 2 (3); of 1: 2 (1); of 3: 0 (.5). Interactions 5, 4, 3, 2.
    private static readonly TransitionTable Table = new([0, 2, 3, 3, 4], [1, 2, 2, 0], [2, 3, 1, 0.5f], [5, 4, 3, 2]);

    private static readonly TransitionReading Reading = new(
        Window: 10, DistancePower: 0.5, EvidenceScale: 1.7, Recency: 0.6, Popularity: 0.1);

    [Fact]
    public void A_score_is_the_weighted_evidence_of_the_history_and_a_prior()
    {
        using var leg = new TransitionLeg(Table, Reading, history: 3);
        using var scores = leg.Scores([[0], [3, 1, 0], [0, 2, 3, 3]]); // the last one's 0 is beyond the history
        static double E(double count) => Math.Log(1 + (1.7 * count));
        static double Prior(int interactions) => 0.1 * Math.Log(1 + interactions);
        double total = 1 + 0.6 + 0.36;
        double[][] expected =
        [
            [0, E(2), E(3), 0],
            [0.36 / total * E(0.5), E(2) / total, (E(3) + (0.6 * E(1))) / total, 0],
            [(1 + 0.6) / total * E(0.5), 0, 0, 0],
        ];
        Assert.Equal([3, 4], scores.shape);
        for (int row = 0; row < 3; row++)
        {
            for (int item = 0; item < 4; item++)
            {
                Assert.Equal(expected[row][item] + Prior(Table.Interactions[item]), scores[row, item].item<float>(), 1e-6);
            }
        }
    }

    [Fact]
    public void An_item_that_was_appended_later_has_no_followers_and_takes_its_place_all_the_same()
    {
        using var leg = new TransitionLeg(Table, Reading with { Popularity = 0 }, history: 20);
        using var scores = leg.Scores([[0, 9], [9]]);
        Assert.Equal(0.6 / 1.6 * Math.Log(1 + (1.7 * 2)), scores[0, 1].item<float>(), 1e-6);
        Assert.Equal([0f, 0, 0, 0], scores[1].data<float>().ToArray());
    }

    [Fact]
    public void Items_of_a_history_count_as_much_as_they_weigh()
    {
        var table = TransitionTable.Count(Tiny.Sequences(12, 60, 9, 2), 12, 3, _ => 1, 1000);
        using var leg = new TransitionLeg(table, Reading with { Popularity = 0 }, history: 3);
        int[] history = [4, 1, 7];
        double[] recency = [Reading.Recency * Reading.Recency, Reading.Recency, 1];
        foreach (double[] weights in new double[][] { [1, 1, 1], [2, 2, 2], [1, 0.5, 3], [9, 0.01, 0.01] })
        {
            using var scores = leg.Scores([history], weights: [weights]);
            double[] shares = [.. weights.Zip(recency, (weight, of) => weight * of)];
            for (int item = 0; item < 12; item++)
            {
                double expected = history.Select((from, at) => shares[at] / shares.Sum()
                    * leg.After(from).Where(other => other.Item == item).Sum(other => other.Evidence)).Sum();
                Assert.Equal(expected, scores[0, item].item<float>(), 1e-5);
                Assert.Equal(expected, leg.Reasons(history, item, weights).Sum(reason => reason.Part), 1e-5);
            }
        }

        using var even = leg.Scores([history], weights: [[2, 2, 2]]);
        using var plain = leg.Scores([history]);
        Assert.Equal(0, (even - plain).abs().max().item<float>(), 1e-6);
    }

    [Fact]
    public void New_interactions_make_the_leg_that_a_training_with_them_would_make()
    {
        const int Items = 30, Known = 6;
        var all = Tiny.Sequences(Items, 80, 14, 6);
        var before = Tiny.Sequences(
            [.. Enumerable.Range(0, all.Count).Select(user => all[user][..Math.Min(Known, all[user].Length)].ToArray())]);
        var reading = Reading with { Window = 4 };
        TransitionTable Count(SequenceSet sequences) =>
            TransitionTable.Count(sequences, Items, reading.Window, distance => Math.Pow(distance, -reading.DistancePower), 1000);
        var events = Enumerable.Range(0, all.Count).SelectMany(user => Enumerable.Range(Known, Math.Max(0, all[user].Length - Known))
            .Select(at => ((IReadOnlyList<int>)all[user][..at].ToArray(), all[user][at]))).ToArray();
        Assert.True(events.Length > 100);

        using var whole = new TransitionLeg(Count(all), reading, history: 5);
        using var first = new TransitionLeg(Count(before), reading, history: 5);
        using var half = first.With(events[..50]);
        using var grown = half.With([.. events[50..], ([1, 2], Items + 3)]); // and one with an item that nobody knows
        int[][] histories = [.. Enumerable.Range(0, all.Count).Where(user => all[user].Length > 0).Select(user => all[user].ToArray())];
        using var expected = whole.Scores(histories);
        using var actual = grown.Scores(histories);
        Assert.All(
            expected.data<float>().ToArray().Zip(actual.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.All(Enumerable.Range(0, Items), item => Assert.Equal(whole.Priors.Of(item), grown.Priors.Of(item)));
        using var untouched = new TransitionLeg(Count(before), reading, history: 5);
        using var old = first.Scores(histories);
        using var fresh = untouched.Scores(histories);
        Assert.Equal(fresh.data<float>().ToArray(), old.data<float>().ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void The_best_items_are_those_of_the_largest_scores_of_all(double popularity)
    {
        const int Items = 20;
        var all = Tiny.Sequences(Items, 80, 14, 6);
        using var first = new TransitionLeg(
            TransitionTable.Count(all, Items, 4, _ => 1, 1000), Reading with { Window = 4, Popularity = popularity }, history: 5);
        using var leg = first.With([([1, 2], 5), ([3], 5), ([5, 1], 7), ([7], Items + 1), ([2], 0)]);
        int[][] histories = [[1, 2], [5, 7, 0], [Items + 1], [3, 3, 4, 9]];
        using var scores = leg.Scores(histories);
        var found = ((ILeg)leg).Search(histories, null, null);
        int[] even = [.. Enumerable.Range(0, Items).Where(item => item % 2 == 0)];
        for (int row = 0; row < histories.Length; row++)
        {
            float[] of = scores[row].data<float>().ToArray();
            int[] Expected(int n, Func<int, bool> allows) =>
                [.. Enumerable.Range(0, Items).Where(allows).OrderByDescending(item => of[item]).ThenBy(item => item).Take(n)];
            Assert.Equal(of, found[row].Of([.. Enumerable.Range(0, Items)]));
            Assert.Equal(of.Min(), found[row].Least);
            foreach (int n in new[] { 0, 1, 5, Items, Items + 3 })
            {
                Assert.Equal(Expected(n, _ => true), found[row].Best(n, null));
                Assert.Equal(Expected(n, item => item % 2 == 0), found[row].Best(n, Admission.OnlyOf(even)));
                Assert.Equal(Expected(n, item => item % 2 == 1), found[row].Best(n, Admission.AllBut(even)));
                Assert.Equal(
                    Expected(n, item => item % 2 == 0 && item > 3),
                    found[row].Best(n, Admission.AllBut([0, 1, 2, 3]), new ItemGroup(even, even.Contains)));
            }
        }
    }

    [Fact]
    public void Reasons_sum_to_the_score_but_for_the_prior_most_evidence_first()
    {
        using var leg = new TransitionLeg(Table, Reading, history: 3);
        int[] history = [0, 1, 0, 9]; // 9: appended later
        using var scores = leg.Scores([history]);
        for (int item = 0; item < 4; item++)
        {
            var reasons = leg.Reasons(history, item);
            Assert.Equal(scores[0, item].item<float>() - leg.Priors.Of(item), reasons.Sum(reason => reason.Part), 1e-6);
            Assert.Equal(reasons.OrderByDescending(reason => reason.Part), reasons);
            Assert.Equal(reasons.Select(reason => reason.Item).Distinct(), reasons.Select(reason => reason.Item));
        }

        Assert.Equal([0, 1], leg.Reasons(history, 2).Select(reason => reason.Item));
        Assert.Equal(3, leg.Reasons(history, 2)[0].Count);
        Assert.Empty(leg.Reasons(history, 3));
    }

    [Fact]
    public void With_recency_1_all_of_the_history_counts_alike()
    {
        using var leg = new TransitionLeg(Table, Reading with { Recency = 1, Popularity = 0 }, history: 20);
        using var scores = leg.Scores([[1, 0]]);
        Assert.Equal(Math.Log(1 + (1.7 * 2)) / 2, scores[0, 1].item<float>(), 1e-6);
    }

    [Fact]
    public void A_leg_without_validation_targets_is_what_its_options_say_and_else_the_usual_one()
    {
        var training = Tiny.Sequences(30, 50, 9, 1);
        using var leg = TransitionLeg.Train(training, 30, new TransitionOptions { Window = 3, Popularity = -0.5 }, null, default);
        Assert.Equal(TransitionReading.Usual with { Window = 3, Popularity = -0.5 }, leg.Reading);
        var counted = TransitionTable.Count(training, 30, 3, distance => Math.Pow(distance, -0.5), 2000);
        Assert.Equal(counted.Counts, leg.Table.Counts);
    }

    [Fact]
    public void A_saved_and_loaded_leg_has_the_same_scores_to_the_last_bit()
    {
        using var folder = new TemporaryFolder();
        int[][] histories = [[3, 4, 5], [29], [7, 7, 1]];
        using var leg = Tiny.Transitions(30, 4);
        leg.Save(folder.Path);
        using var loaded = TransitionLeg.Load(folder.Path);
        using var before = leg.Scores(histories);
        using var after = loaded.Scores(histories);
        Assert.Contains(before.data<float>().ToArray(), score => score > 0.5f);
        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
        Assert.Equal((leg.Reading, leg.History), (loaded.Reading, loaded.History));
        Assert.Equal(leg.Table.Counts, loaded.Table.Counts);
    }
}
