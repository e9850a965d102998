using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests;

/// <summary>What an answer says of itself.</summary>
public class ScorePartTests
{
    private static readonly ItemTable Table = Tiny.Table(80, [6, 5, 4], 1);

    private static readonly LegSum Sum = new(
        new Dictionary<string, double>
        {
            [TransitionLeg.LegName] = 0.5, [DenseLeg.Id] = 0, [DenseLeg.Content] = 0.3, [GenerativeLeg.LegName] = 0.2,
        },
        Repeat: -0.7, Temperature: 0.8, Coverage: 0.9);

    private static readonly int[] History = [3, 17, 3, 40];

    [Fact]
    public void A_score_is_the_sum_of_weight_times_value_over_its_parts()
    {
        using var recommender = Recommender(Sum);
        var answers = recommender.Recommend(new RecommendQuery(History, 80), default);
        Assert.Equal(80, answers.Count);
        Assert.All(answers, answer => Assert.Equal(answer.Score, answer.Parts.Sum(part => part.Weight * part.Value), 1e-9));
        Assert.All(answers, answer => Assert.Equal(
            [.. RetrievalOptions.LegNames, .. History.Contains(answer.Item) ? ["repeat"] : Array.Empty<string>()],
            answer.Parts.Select(part => part.Leg)));
        Assert.All(answers, answer => Assert.Equal(
            Sum.Weights.Values.Concat(answer.Parts.Skip(4).Select(_ => -0.7)), answer.Parts.Select(part => part.Weight)));
    }

    [Fact]
    public void Facts_of_an_item_are_parts_where_they_weigh_and_reasons_are_items_of_the_history()
    {
        int[] interactions = [.. Enumerable.Range(0, 80).Select(item => item % 5)];
        using var recommender = new Recommender(
            Tiny.Model(Table, [Tiny.Transitions(80, 1), Tiny.Dense(80, 1)], sum: new LegSum(
                new Dictionary<string, double> { [TransitionLeg.LegName] = 0.5, [DenseLeg.Id] = 0.5 }, -0.7, 1, 1, null, 0.2, 1.5),
            interactions: interactions), Table);
        var answers = recommender.Recommend(new RecommendQuery(History, 80), default);
        double Part(Recommendation answer, string name) =>
            answer.Parts.Where(part => part.Leg == name).Sum(part => part.Weight * part.Value);
        Assert.All(answers, answer => Assert.Equal(answer.Score, answer.Parts.Sum(part => part.Weight * part.Value), 1e-9));
        Assert.All(answers, answer => Assert.Equal(0.2 * Math.Log(1 + interactions[answer.Item]), Part(answer, "popularity"), 1e-9));
        Assert.All(answers, answer => Assert.Equal(interactions[answer.Item] == 0 ? 1.5 : 0, Part(answer, "cold"), 1e-9));
        Assert.All(answers, answer => Assert.True(
            answer.Reasons.Count <= 3 && answer.Reasons.All(reason => History.Contains(reason.Item) && reason.Part > 0)));
        Assert.Contains(answers, answer => answer.Reasons.Count > 0);
    }

    [Fact]
    public void New_interactions_are_in_the_answers_of_the_recommender_that_has_seen_them_alone()
    {
        using var recommender = Recommender(Sum);
        static double Of(Recommender one) =>
            one.Recommend(new RecommendQuery([5], 80), default).Single(answer => answer.Item == 70).Parts[0].Value;
        double before = Of(recommender);
        using var learned = (Recommender)recommender.WithInteractions(
            [.. Enumerable.Repeat(((IReadOnlyList<int>)new[] { 5 }, 70), 20)]);
        Assert.True(Of(learned) > before + 1);
        Assert.Equal(before, Of(recommender));
    }

    [Fact]
    public void Each_part_is_what_its_leg_says_of_the_item_alone()
    {
        using var recommender = Recommender(Sum);
        using var twin = Tiny.Model(Table, Tiny.Options);
        double[] generative = Tiny.ScoreAll(twin, Table, History);
        var answers = recommender.Recommend(new RecommendQuery(History, 80), default);
        for (int leg = 0; leg < recommender.FullLegs.Count; leg++)
        {
            using var scores = recommender.FullLegs[leg].Scores([History]);
            Assert.All(answers, answer => Assert.Equal(scores[0, answer.Item].item<float>(), answer.Parts[leg].Value, 1e-5));
        }

        Assert.All(answers, answer => Assert.Equal(generative[answer.Item], answer.Parts[3].Value, 1e-4));
    }

    [Fact]
    public void Probabilities_are_a_softmax_of_the_scores_that_sums_to_the_coverage()
    {
        using var recommender = Recommender(Sum);
        var all = recommender.Recommend(new RecommendQuery(History, 80), default);
        double total = all.Sum(answer => Math.Exp(answer.Score / 0.8));
        Assert.All(all, answer => Assert.Equal(0.9 * Math.Exp(answer.Score / 0.8) / total, answer.Probability, 1e-9));
        Assert.Equal(0.9, all.Sum(answer => answer.Probability), 1e-9);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(80, true)]
    public void Probabilities_of_an_answer_are_above_0_and_sum_to_1_at_most(int k, bool excludeSeen)
    {
        using var recommender = Recommender(Sum with { Coverage = 1, Temperature = 0.05 });
        var answers = recommender.Recommend(new RecommendQuery(History, k, 0, excludeSeen), default);
        Assert.All(answers, answer => Assert.InRange(answer.Probability, double.Epsilon, 1));
        Assert.InRange(answers.Sum(answer => answer.Probability), double.Epsilon, 1 + 1e-9);
        Assert.Equal(answers.Select(answer => answer.Probability).OrderDescending(), answers.Select(answer => answer.Probability));
    }

    [Fact]
    public void An_answer_is_as_long_as_asked_without_a_generative_leg_too()
    {
        var table = Tiny.Table(400, [8, 8, 8], 1);
        using var recommender = new Recommender(Tiny.Model(table, [Tiny.Dense(400, 1)]), table);
        using var leg = Tiny.Dense(400, 1);
        using var scores = leg.Scores([History]);
        float[] values = scores.data<float>().ToArray();
        int[] best = [.. Enumerable.Range(0, 400).OrderByDescending(item => values[item]).ThenBy(item => item)];
        foreach (bool excludeSeen in new[] { false, true })
        {
            var expected = best.Where(item => !excludeSeen || !History.Contains(item)).Take(120);
            var answers = recommender.Recommend(new RecommendQuery(History, 120, 0, excludeSeen), default);
            Assert.Equal(expected, answers.Select(answer => answer.Item));
        }
    }

    private static Recommender Recommender(LegSum sum) => new(
        Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(80, 1), Tiny.Dense(80, 1), Tiny.Dense(80, 2, DenseLeg.Content)], sum: sum),
        Table);
}
