using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Tests.Evaluation;

public class EvaluationTests
{
    [Theory]
    [InlineData(0, 5, 1, 1)]
    [InlineData(1, 5, 1, 0.6309297535714575)]
    [InlineData(2, 5, 1, 0.5)]
    [InlineData(4, 5, 1, 0.38685280723454163)]
    [InlineData(5, 5, 0, 0)]
    [InlineData(-1, 5, 0, 0)]
    public void Metrics_of_one_rank_are_those_of_the_closed_form(int rank, int k, double recall, double ndcg)
    {
        Assert.Equal(recall, RankingMetrics.Recall(rank, k));
        Assert.Equal(ndcg, RankingMetrics.Ndcg(rank, k), 1e-12);
    }

    [Fact]
    public void Rows_average_over_users_and_their_interval_is_the_binomial_one()
    {
        int[] ranks = [.. Enumerable.Range(0, 10_000).Select(user => user % 10 == 0 ? 0 : -1)];
        var row = MetricRow.Of(ranks, [5], 1);
        Assert.Equal(0.1, row["recall@5"], 1e-12);
        double error = Math.Sqrt(0.1 * 0.9 / 10_000);
        Assert.Equal(0.1 - (1.96 * error), row.Metrics["recall@5"].Low, 0.15 * 1.96 * error);
        Assert.Equal(0.1 + (1.96 * error), row.Metrics["recall@5"].High, 0.15 * 1.96 * error);
        Assert.Equal(row.Metrics["recall@5"], MetricRow.Of(ranks, [5], 1).Metrics["recall@5"]);
    }

    [Fact]
    public void Popularity_ranks_by_training_count_then_index()
    {
        var popularity = new Popularity(Set([2, 2, 1], [1, 3]), 5);
        Assert.Equal([1, 2, 3, 0, 4], popularity.Rank([], 5, new HashSet<int>()));
        Assert.Equal([1, 3], popularity.Rank([], 2, new HashSet<int> { 2 }));
    }

    [Fact]
    public void Co_occurrence_counts_what_came_after_and_halves_with_every_step_back()
    {
        var counting = new CoOccurrence(Set([0, 1], [0, 1], [0, 2], [3, 2], [3, 2], [3, 2]), 6, window: 5, decay: .5f);
        // History 3, 0: from 0 come 1 (2) and 2 (1); from 3, one back, comes 2 (3 · ½).
        // Then popularity: 0 and 3 (index), then the unseen.
        Assert.Equal([2, 1, 0, 3, 4, 5], counting.Rank([3, 0], 6, new HashSet<int>()));
        Assert.Equal([1, 4, 5], counting.Rank([3, 0], 6, new HashSet<int> { 0, 2, 3 }));
    }

    [Fact]
    public void Co_occurrence_is_the_variant_that_finds_most_validation_targets_and_no_test_target_has_a_say()
    {
        // Two steps on comes always the same item: a window of 1 counts what is between, which is another for every user.
        int[][] Users(int held) => [.. Enumerable.Range(0, 24).Select(user => new[] { 50, user, 51, 50, 24 + user, 51, held })];
        var split = new LeaveOneOut(Set(Users(50)));
        var chosen = CoOccurrence.Choose(split, 60);
        Assert.Equal([51], chosen.Rank([50], 1, new HashSet<int>()));
        Assert.NotEqual([51], new CoOccurrence(split.Train, 60, 1, 1).Rank([50], 1, new HashSet<int>()));
        var other = CoOccurrence.Choose(new LeaveOneOut(Set(Users(59))), 60);
        Assert.All(Enumerable.Range(0, 52), item => Assert.Equal(
            chosen.Rank([item], 10, new HashSet<int>()), other.Rank([item], 10, new HashSet<int>())));
    }

    [Fact]
    public void Report_carries_protocol_labels_and_both_conventions()
    {
        var table = Tiny.Table(40, [5, 5], 2);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options, legs: [Tiny.Dense(40, 2)]), table);
        var split = new LeaveOneOut(Set([1, 2, 3, 4], [5, 6, 7], [8, 9]));
        var report = RetrievalEvaluator.Evaluate(recommender, split, new EvaluationOptions { Seed = 9 });
        var json = report.ToJson();

        Assert.Equal(2, (int)json["users"]!);
        Assert.Equal(split.Sha256, (string)json["split_sha256"]!);
        Assert.Equal(9, (long)json["seed"]!);
        Assert.Equal(("test", "item", "nothing_removed"), ((string)json["target"]!, (string)json["level"]!, (string)json["convention"]!));
        foreach (string metric in new[] { "recall@5", "ndcg@5", "recall@10", "ndcg@10" })
        {
            Assert.Equal(report.ItemLevel.NothingRemoved[metric], (double)json[metric]!);
            Assert.NotNull(json["seen_removed"]![metric]);
            Assert.NotNull(json["code_level"]!["nothing_removed"]![metric]);
            Assert.NotNull(json["baselines"]!["popularity"]![metric]);
            Assert.NotNull(json["baselines"]!["co_occurrence"]!["seen_removed"]![metric]);
            Assert.True(report.CodeLevel.NothingRemoved[metric] >= report.ItemLevel.NothingRemoved[metric]);
            foreach (string ranking in new[] { "sum", "id", "generative", "popularity", "co_occurrence" })
            {
                Assert.NotNull(json["protocols"]!["strict"]![ranking]![metric]);
                Assert.NotNull(json["protocols"]!["strict_unseen"]![ranking]![metric]);
            }

            Assert.Equal(report.ItemLevel.SeenRemoved![metric], (double)json["protocols"]!["strict_unseen"]!["sum"]![metric]!);
        }

        Assert.Equal((0, 0), ((int)json["invalid"]!, (int)json["duplicates"]!));
    }

    [Fact]
    public void Ranks_are_those_of_exhaustive_scoring()
    {
        var table = Tiny.Table(40, [5, 5], 3);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options), table);
        using var twin = Tiny.Model(table, Tiny.Options);
        var random = new Random(1);
        int[] History() => [.. Enumerable.Range(0, 3 + random.Next(6)).Select(_ => random.Next(40))];
        var split = new LeaveOneOut(Set([.. Enumerable.Range(0, 25).Select(_ => History())]));
        foreach (var target in new[] { EvaluationTarget.Test, EvaluationTarget.Validation })
        {
            var report = RetrievalEvaluator.Evaluate(
                recommender, split, new EvaluationOptions { Ks = [7], Beam = 40, Target = target, Batch = 4 });
            double plain = 0, removed = 0;
            foreach (int user in split.EvaluatedUsers)
            {
                var history = (target == EvaluationTarget.Test ? split.TestHistory(user) : split.ValidationHistory(user)).ToArray();
                int item = target == EvaluationTarget.Test ? split.TestTarget(user) : split.ValidationTarget(user);
                var scores = Tiny.ScoreAll(twin, table, history);
                plain += RankingMetrics.Ndcg(scores.Count(score => score > scores[item]), 7);
                removed += history.Contains(item)
                    ? 0
                    : RankingMetrics.Ndcg(scores.Where((_, other) => !history.Contains(other)).Count(score => score > scores[item]), 7);
            }

            Assert.Equal(plain / report.Users, report.ItemLevel.NothingRemoved["ndcg@7"], 1e-9);
            Assert.Equal(removed / report.Users, report.ItemLevel.SeenRemoved!["ndcg@7"], 1e-9);
        }
    }

    [Fact]
    public void Wrong_answers_are_counted_not_assumed_away()
    {
        var table = Tiny.Table(5, [4, 4], 1);
        var counts = new AnswerCounts(table);
        Recommendation[] answers =
        [
            new(0, table.SemanticIds[0], -1, 0.1, []), new(0, table.SemanticIds[0], -1, 0.1, []), new(1, table.SemanticIds[2], -1, 0.1, []),
            new(2, new SemanticId([3, 3], 9), -1, 0.1, []),
        ];
        counts.Check(answers, 5);
        Assert.Equal((2, 1, 1), (counts.Invalid, counts.Duplicates, counts.Short));
    }

    private static SequenceSet Set(params int[][] sequences) => Tiny.Sequences(sequences);
}
