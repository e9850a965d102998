using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Tests.Evaluation;

public class ColdShortlistTests
{
    [Fact]
    public void A_cold_target_competes_with_the_cold_items_and_the_first_twenty_generated_ones()
    {
        var random = new Random(8);
        for (int round = 0; round < 500; round++)
        {
            float[] scores = [.. Enumerable.Range(0, 60).Select(_ => random.Next(7) is var value && value == 0 ? float.NaN : value)];
            int[] order = [.. Enumerable.Range(0, 60)];
            random.Shuffle(order);
            int[] cold = order[..15], beam = order[10..(10 + random.Next(35))]; // some generated ones are cold
            int target = cold[random.Next(cold.Length)];
            HashSet<int> excluded = [.. order.Where(_ => random.Next(10) == 0)];
            int expected = cold.Concat(beam.Take(20)).Distinct().Where(item => !excluded.Contains(item) && !float.IsNaN(scores[item]))
                .OrderByDescending(item => scores[item]).ThenBy(item => item).ToList().IndexOf(target);
            Assert.Equal(expected, ColdShortlist.Place(scores, cold, beam, target, excluded));
        }

        Assert.Equal(1, ColdShortlist.Place([3, 2], [1], [0, 7], 1, new HashSet<int>())); // 7 was appended: nothing is said of it
    }

    [Fact]
    public void The_slice_is_of_the_users_with_a_cold_target_by_the_beam_and_the_leg_that_answered()
    {
        var split = new LeaveOneOut(Tiny.Sequences([1, 2, 3, 7], [4, 1, 5, 5], [2, 4, 1, 6], [3, 2, 5, 30], [9, 9]));
        var table = Tiny.Table(40, [5, 5], 2);
        var counts = new int[40];
        Array.ForEach(split.Train.Items, item => counts[item]++);
        var model = Tiny.Model(table, Tiny.Options, legs: [Tiny.Dense(40, 2)], interactions: counts);
        using var recommender = new Recommender(model, table);
        var options = new EvaluationOptions { Ks = [10] };
        var report = RetrievalEvaluator.Evaluate(recommender, split, options);
        foreach (var (answers, exclude) in new[] { (report.Plain, false), (report.Removed!, true) })
        {
            var expected = answers.Users.Select(user =>
            {
                int target = split.TestTarget(user);
                int[] history = split.TestHistory(user).ToArray();
                float[] scores = [];
                var found = recommender.Find([new RecommendQuery(history, 10, options.Beam)], [exclude], (_, _, row) => scores = [.. row]);
                return counts[target] > 0
                    ? -1
                    : ColdShortlist.Place(
                        scores, model.Cold, [.. found[0][0].Beam.Select(item => item.Item)], target, exclude ? history.ToHashSet() : []);
            }).ToArray();
            Assert.Equal(expected, answers.Cold);
            Assert.Contains(expected, place => place >= 0);
            var protocol = exclude ? Protocol.StrictUnseen : Protocol.Strict;
            var analysis = ProtocolAnalysis.Of(report.Protocols.First(one => one.Protocol == protocol), split, table, options);
            Assert.Equal(analysis.Popularity.Single(slice => slice.Name == "cold").Users, analysis.ColdShort!.Users);
            double recall = expected.Count(place => place is >= 0 and < 10) / (double)analysis.ColdShort.Users;
            Assert.Equal(recall, analysis.ColdShort.Row["recall@10"], 12);
            Assert.Equal(analysis.ColdShort.Users, analysis.ToJson()["cold_shortlist"]!["users"]!.GetValue<int>());
        }

        using var warm = new Recommender(Tiny.Model(table, Tiny.Options, legs: [Tiny.Dense(40, 2)]), table);
        Assert.Null(RetrievalEvaluator.Evaluate(warm, split, options).Plain.Cold); // its training has seen every item
    }
}
