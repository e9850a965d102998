using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Tests.Evaluation;

/// <summary>Every figure beside recall and NDCG, on cases that are worked out by hand.</summary>
public class ProtocolAnalysisTests
{
    private static readonly EvaluationOptions Ten = new() { Ks = [10] };

    [Fact]
    public void Item_knn_sums_the_cosines_of_the_users_that_items_share()
    {
        // Users of 0: a b c d; of 1: a b; of 2: a b c; of 3: e. Repeats and order do not count.
        var training = Tiny.Sequences([0, 1, 2, 1], [2, 1, 0], [2, 0, 0], [0], [3]);
        double from0To1 = 2 / Math.Sqrt(4 * 2), from0To2 = 3 / Math.Sqrt(4 * 3), from2To1 = 2 / Math.Sqrt(3 * 2);
        Assert.True(from0To2 > from2To1 && from2To1 > from0To1);
        var all = new ItemKnn(training, 5, 5);
        Assert.Equal([2, 1, 0, 3, 4], all.Rank([0], 5, Nothing)); // then by popularity: 0, 3, and 4 of no user
        // From 0 and 2: 1 has both cosines, 0 and 2 that of each other; of those two alike the more popular one, 0, is first.
        Assert.Equal([1, 0, 2, 3, 4], all.Rank([0, 2, 0], 5, Nothing));
        Assert.Equal([1, 3], all.Rank([0, 2], 2, new HashSet<int> { 0, 2 }));
        // Each has one neighbour: 0 and 2 each other, so 1 gets nothing and is ranked by popularity.
        Assert.Equal([0, 2, 1, 3, 4], new ItemKnn(training, 5, 1).Rank([0, 2], 5, Nothing));
        Assert.Equal(all.Rank([0], 5, Nothing), new ItemKnn(Tiny.Sequences([0, 4]), 5, 5).On(training).Rank([0], 5, Nothing));
    }

    [Fact]
    public void Item_knn_agrees_with_every_cosine_by_hand_on_random_sequences()
    {
        const int items = 15;
        var training = Tiny.Sequences(items, 40, 6, seed: 8);
        double Cosine(int a, int b)
        {
            int[] Users(int item) => [.. Enumerable.Range(0, training.Count).Where(user => training[user].Contains(item))];
            var (of, other) = (Users(a), Users(b));
            return a == b || of.Length * other.Length == 0 ? 0 : of.Intersect(other).Count() / Math.Sqrt(of.Length * other.Length);
        }

        var knn = new ItemKnn(training, items, items);
        foreach (int[] history in new[] { new[] { 3 }, [1, 4, 9], [14, 2, 2, 0] })
        {
            double[] scores = [.. Enumerable.Range(0, items).Select(item => history.Distinct().Sum(seen => Cosine(seen, item)))];
            int[] ranked = knn.Rank(history, items, Nothing);
            Assert.Equal(items, ranked.Distinct().Count());
            Assert.All(ranked.Zip(ranked.Skip(1)), pair => Assert.True(scores[pair.First] >= scores[pair.Second] - 1e-6));
        }
    }

    [Fact]
    public void Item_knn_keeps_the_number_of_neighbours_that_finds_most_validation_targets_and_no_test_target_has_a_say()
    {
        // Each of the items 0 to 9 is nearest to 25 items of its own, then to the others and to 10, which is a neighbour of all ten.
        // What the pairs' own users are asked for is an item that nobody knows.
        var pairs = Enumerable.Range(0, 250).Select(at => new[] { at / 25, 11 + at, 261, 261 })
            .Concat(Enumerable.Range(0, 10).Select(item => new[] { item, 10, 261, 261 })).ToArray();
        int[] history = [.. Enumerable.Range(0, 10)];
        LeaveOneOut Split(int held) => new(Tiny.Sequences([.. pairs, [.. history, 10, held]]));
        Assert.Equal([10], ItemKnn.Choose(Split(11), 262).Rank(history, 1, Nothing));
        Assert.DoesNotContain(10, new ItemKnn(Split(11).Train, 262, 20).Rank(history, 10, Nothing));
        Assert.Equal(
            ItemKnn.Choose(Split(11), 262).Rank(history, 261, Nothing), ItemKnn.Choose(Split(260), 262).Rank(history, 261, Nothing));
    }

    [Fact]
    public void Targets_fall_into_thirds_of_the_training_interactions_and_cold_ones_stand_apart()
    {
        // 12 interactions: 0 and 3 lie before 0 and 1, 6 before 2, 8 and 10 before 3 and 4; 5 has none.
        int[] counts = [3, 3, 2, 2, 2, 0];
        var slices = Slices.ByPopularity(counts, [0, 1, 2, 3, 4, 5, 5], [0, 9, -1, 1, -1, -1, 2], Ten);
        Assert.Equal(["head", "middle", "tail", "cold"], slices.Select(slice => slice.Name));
        Assert.Equal([2, 1, 2, 2], slices.Select(slice => slice.Users));
        Assert.Equal([1, 0, .5, .5], slices.Select(slice => slice.Row["recall@10"]));
        Assert.Equal((1 + (1 / Math.Log2(11))) / 2, slices[0].Row["ndcg@10"], 12);
        Assert.Contains("2 most popular", slices[0].Meaning, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_length_of_a_history_is_in_one_slice()
    {
        int[] lengths = [1, 3, 4, 6, 7, 12, 13, 25, 26, 900], ranks = [0, -1, 0, 0, -1, -1, -1, 9, 10, 0];
        var slices = Slices.ByHistory(lengths, ranks, Ten);
        Assert.Equal(["1-3", "4-6", "7-12", "13-25", "26+"], slices.Select(slice => slice.Name));
        Assert.Equal([2, 2, 2, 2, 2], slices.Select(slice => slice.Users));
        Assert.Equal([.5, 1, 0, .5, .5], slices.Select(slice => slice.Row["recall@10"]));
        Assert.Equal(0, Slices.ByHistory([1], [0], Ten)[4].Users);
    }

    [Fact]
    public void Coverage_novelty_diversity_and_exposure_are_those_by_hand()
    {
        var table = new ItemTable(
            ["a", "b", "c", "d"], [new([1, 2, 3]), new([1, 2, 0]), new([1, 0, 3]), new([1, 2, 3], 1)], ["", "", "", ""], [4, 4, 4]);
        // Shares with one more each: 4/8, 2/8, 1/8, 1/8, so 1, 2, 3 and 3 bits.
        var quality = ListQuality.Of([[0, 1, 2], [0, 3], [0]], table, [3, 1, 0, 0]);
        Assert.Equal(1, quality.Coverage);
        Assert.Equal((1 + 2 + 3 + 1 + 3 + 1) / 6.0, quality.Novelty, 12);
        // Levels behind the common beginning: a b 1 of 3, a c 2, b c 2; a d share all. A list of one has no pair.
        Assert.Equal((((1 + 2 + 2) / 9.0) + 0) / 2, quality.Diversity!.Value, 12);
        Assert.Equal(ListQuality.GiniOf([3, 1, 1, 1]), quality.Gini);
        Assert.Null(ListQuality.Of([[1], [2]], table, [3, 1, 0, 0]).Diversity);
        Assert.Equal(.5, ListQuality.Of([[1], [2]], table, [3, 1, 0, 0]).Coverage);
    }

    [Theory]
    [InlineData(new long[] { 5, 5, 5 }, 0)]
    [InlineData(new long[] { 0, 0, 0, 8 }, .75)]
    [InlineData(new long[] { 3, 1, 1, 1 }, .25)]
    [InlineData(new long[] { 0, 0 }, 0)]
    public void Gini_is_half_the_mean_difference_over_the_mean(long[] values, double gini)
    {
        double pairs = values.SelectMany(a => values.Select(b => (double)Math.Abs(a - b))).Average();
        Assert.Equal(gini, values.Sum() == 0 ? 0 : pairs / (2 * values.Average()), 12);
        Assert.Equal(gini, ListQuality.GiniOf(values), 12);
    }

    [Fact]
    public void Calibration_holds_each_bin_s_promise_against_its_hits()
    {
        // 20 lists of one answer: ten promise .1 and one of them hits, ten promise .8 and five of them hit.
        double[][] probabilities = [.. Enumerable.Range(0, 20).Select(at => new[] { at < 10 ? .1 : .8 })];
        int[] ranks = [.. Enumerable.Range(0, 20).Select(at => at is 0 or >= 15 ? 0 : -1)];
        var calibration = Calibration.Of(probabilities, ranks);
        Assert.Equal(10, calibration.Bins.Count);
        Assert.All(calibration.Bins, (bin, at) => Assert.Equal((2, at < 5 ? .1 : .8), (bin.Answers, Math.Round(bin.Predicted, 12))));
        Assert.Equal([.5, 0, 0, 0, 0, 0, 0, .5, 1, 1], calibration.Bins.Select(bin => bin.Observed));
        Assert.Equal((.4 + (4 * .1) + .8 + .8 + .3 + .2 + .2) / 10, calibration.Error, 12);
        Assert.Equal((9.0 / 20, 6.0 / 20), (Math.Round(calibration.Predicted, 12), calibration.Observed));
        // Wilson's interval of 1 of 2.
        double z = 1.96 * 1.96, half = 1.96 / (1 + (z / 2)) * Math.Sqrt((.25 / 2) + (z / 16));
        Assert.Equal((.5 - half, .5 + half), (calibration.Bins[0].Low, calibration.Bins[0].High));
    }

    [Fact]
    public void A_hit_belongs_to_the_answer_at_the_targets_place()
    {
        var calibration = Calibration.Of([[.6, .2], [.7, .1]], [1, -1]);
        Assert.Equal([(.1, 0.0), (.2, 1.0), (.6, 0.0), (.7, 0.0)], calibration.Bins.Select(bin => (bin.Predicted, bin.Observed)));
        Assert.Empty(Calibration.Of([], []).Bins);
    }

    [Fact]
    public void Two_rankings_of_the_same_users_are_compared_pair_by_pair()
    {
        int[] before = [.. Enumerable.Range(0, 1000).Select(user => user < 500 ? 0 : -1)];
        int[] after = [.. Enumerable.Range(0, 1000).Select(user => user < 480 ? 0 : user < 490 ? 1 : user < 990 ? -1 : 9)];
        PairedComparison[] compared = [.. PairedComparison.Of(Result(after), Result(before), seed: 3)];
        Assert.Equal(["recall@10", "ndcg@10"], compared.Select(one => one.Metric));
        var recall = compared[0];
        Assert.Equal((.5, .5, 0, .02), (recall.After, recall.Before, Math.Round(recall.Difference.Value, 12), recall.Differing));
        double error = Math.Sqrt(.02 / 1000); // ten pairs of -1, ten of +1: not that of two samples, five times as wide
        Assert.Equal(-1.96 * error, recall.Difference.Low, .15 * 1.96 * error);
        Assert.Equal(1.96 * error, recall.Difference.High, .15 * 1.96 * error);
        double ndcg = ((10 * ((1 / Math.Log2(3)) - 1)) - 10 + (10 / Math.Log2(11))) / 1000;
        Assert.Equal(ndcg, compared[1].Difference.Value, 12);
        Assert.Equal(.03, compared[1].Differing, 12);
        Assert.True(compared[1].Difference.High < 0);
        var refused = Assert.Throws<CatalogException>(() => PairedComparison.Of(Result(after), Result([0, 1]), 3));
        Assert.Equal(Fault.FailedPrecondition, refused.Fault);
    }

    [Fact]
    public void What_a_protocol_learned_from_decides_what_is_cold_and_the_lists_are_those_that_were_ranked()
    {
        // Test targets 4, 5, 6: 4 occurs in training, 5 as a validation target alone, 6 nowhere.
        var split = new LeaveOneOut(Tiny.Sequences([1, 2, 3, 4], [4, 1, 5, 5], [2, 4, 1, 6], [9, 9]));
        var table = Tiny.Table(40, [5, 5], 2);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options, legs: [Tiny.Dense(40, 2)]), table);
        var report = RetrievalEvaluator.Evaluate(recommender, split, Ten);
        report = report with { Open = RetrievalEvaluator.EvaluateOpen(recommender, split, Ten, report.Chosen) };
        var results = report.Protocols.ToDictionary(result => result.Protocol);
        Assert.Equal([Protocol.Strict, Protocol.StrictUnseen, Protocol.Open], results.Keys);
        double Cold(Protocol protocol) => ProtocolAnalysis.Of(results[protocol], split, table, Ten).Cold;
        Assert.Equal((2 / 3.0, 2 / 3.0, 1 / 3.0), (Cold(Protocol.Strict), Cold(Protocol.StrictUnseen), Cold(Protocol.Open)));
        foreach (var (protocol, result) in results)
        {
            Assert.Equal(
                ["sum", "id", "generative", "popularity", "co_occurrence", "item_knn"], result.Rows.Keys);
            var analysis = ProtocolAnalysis.Of(result, split, table, Ten);
            Assert.Equal(result.Rows["sum"]["recall@10"], analysis.Calibration.Observed, 12);
            Assert.Equal(3, analysis.Popularity.Sum(slice => slice.Users));
            Assert.Equal(3, analysis.History.Sum(slice => slice.Users));
            Assert.Equal(
                result.Answers.Lists.SelectMany(list => list).Distinct().Count() / 40.0, analysis.Lists.Coverage, 12);
            for (int at = 0; at < 3; at++)
            {
                int user = result.Answers.Users[at];
                var query = new RecommendQuery(split.TestHistory(user).ToArray(), 10, 0, protocol.SeenRemoved);
                var alone = recommender.Recommend(query, CancellationToken.None);
                Assert.Equal(alone.Select(answer => answer.Item), result.Answers.Lists[at]);
                Assert.All(
                    alone.Zip(result.Answers.Probabilities[at]), pair => Assert.Equal(pair.First.Probability, pair.Second, 1e-5));
            }
        }

        // The same model asked in the same way: only what the counts know differs.
        Assert.Equal(results[Protocol.StrictUnseen].Rows["sum"].Metrics, results[Protocol.Open].Rows["sum"].Metrics);
        Assert.Equal(results[Protocol.StrictUnseen].Rows["id"].Metrics, results[Protocol.Open].Rows["id"].Metrics);
        var json = (System.Text.Json.Nodes.JsonObject)report.ToJson()["labels"]!;
        Assert.Equal(["strict", "strict_unseen", "open"], json.Select(label => label.Key));
        Assert.Equal("trained on", (string)json["open"]!["validation_item"]!);
    }

    private static readonly HashSet<int> Nothing = [];

    private static ProtocolResult Result(int[] ranks) => new(
        Protocol.Strict, new Dictionary<string, MetricRow>(), new AnswerSet([.. Enumerable.Range(0, ranks.Length)]) { Item = ranks });
}
