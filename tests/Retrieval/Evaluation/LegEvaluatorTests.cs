using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests.Evaluation;

public class LegEvaluatorTests
{
    private const int Items = 40;

    [Theory]
    [InlineData(EvaluationTarget.Test)]
    [InlineData(EvaluationTarget.Validation)]
    public void The_rows_of_each_leg_are_those_of_its_own_ranking_by_hand(EvaluationTarget target)
    {
        var table = Tiny.Table(Items, [5, 5], 3);
        RetrievalModel Model() => Tiny.Model(table, Tiny.Options, legs: [Tiny.Transitions(Items, 3), Tiny.Dense(Items, 3)]);
        using var recommender = new Recommender(Model(), table);
        using var twin = Model();
        var random = new Random(1);
        var split = new LeaveOneOut(Tiny.Sequences(
            [.. Enumerable.Range(0, 25).Select(_ => Enumerable.Range(0, 3 + random.Next(6)).Select(_ => random.Next(Items)).ToArray())]));
        var report = RetrievalEvaluator.Evaluate(
            recommender, split, new EvaluationOptions { Ks = [1, 7, 30], Beam = Items, Target = target, Batch = 4 });

        Assert.Equal([TransitionLeg.LegName, DenseLeg.Id, GenerativeLeg.LegName], report.Legs.Keys);
        foreach (var (leg, rows) in report.Legs)
        {
            double[] Scores(int[] history)
            {
                if (leg == GenerativeLeg.LegName)
                {
                    return Tiny.ScoreAll(twin, table, history);
                }

                using var scores = twin.Legs.Single(other => other.Name == leg).Scores([history]);
                return Array.ConvertAll(scores.data<float>().ToArray(), score => (double)score);
            }

            var (plain, removed) = (new List<int>(), new List<int>());
            foreach (int user in split.EvaluatedUsers)
            {
                bool test = target == EvaluationTarget.Test;
                int[] history = (test ? split.TestHistory(user) : split.ValidationHistory(user)).ToArray();
                int item = test ? split.TestTarget(user) : split.ValidationTarget(user);
                double[] scores = Scores(history);
                int[] ranking = [.. Enumerable.Range(0, Items).OrderByDescending(other => scores[other]).ThenBy(other => other)];
                plain.Add(Array.IndexOf(ranking, item));
                removed.Add(Array.IndexOf([.. ranking.Where(other => !history.Contains(other))], item));
            }

            foreach (int k in new[] { 1, 7, 30 })
            {
                Assert.Equal(plain.Average(rank => RankingMetrics.Ndcg(rank, k)), rows.NothingRemoved[$"ndcg@{k}"], 1e-9);
                Assert.Equal(removed.Average(rank => RankingMetrics.Ndcg(rank, k)), rows.SeenRemoved![$"ndcg@{k}"], 1e-9);
                Assert.Equal(removed.Average(rank => RankingMetrics.Recall(rank, k)), rows.SeenRemoved![$"recall@{k}"], 1e-9);
            }

            Assert.Contains(-1, removed); // a target that repeats is missed there
        }
    }

    [Fact]
    public void Legs_that_are_not_asked_for_are_not_evaluated()
    {
        var table = Tiny.Table(Items, [5, 5], 3);
        using var recommender = new Recommender(Tiny.Model(table, [Tiny.Dense(Items, 3)]), table);
        var split = new LeaveOneOut(Tiny.Sequences([1, 2, 3], [4, 5, 6]));
        Assert.Empty(RetrievalEvaluator.Evaluate(recommender, split, new EvaluationOptions { Legs = false }).Legs);
        var report = RetrievalEvaluator.Evaluate(recommender, split, new EvaluationOptions { SeenRemoved = false });
        Assert.Null(Assert.Single(report.Legs).Value.SeenRemoved);
        Assert.Equal((0, 0, 0), (report.Invalid, report.Duplicates, report.Short)); // without a generative leg too
    }
}
