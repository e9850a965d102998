using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests;

/// <summary>What legs say together, against the formula written out and targets whose rule is known.</summary>
public sealed class InterplayTests
{
    private const int Legs = 2, Candidates = 20;

    private static readonly double[] Weights = [0.5, 0.5, 0, 0, 0];

    [Fact]
    public void Inputs_are_scores_ranks_popularity_and_length()
    {
        double[][] parts = [[-1, 4, 0, 0.5, 0], [-3, 7, 1, 0.25, 0], [-1, 5, 0, 0, 1]];
        double Rank(int above) => -Math.Log(2 + above);
        Assert.Equal(
            [
                -1, 4, Rank(0), Rank(2), 0.5, Math.Log(6),
                -3, 7, Rank(2), Rank(0), 0.25, Math.Log(6),
                -1, 5, Rank(0), Rank(1), 0, Math.Log(6),
            ],
            Interplay.Inputs(parts, Legs, 5));
    }

    [Fact]
    public void What_is_added_is_the_perceptron_of_the_standardised_inputs()
    {
        var random = new Random(3);
        double[] Draw(int n) => [.. Enumerable.Range(0, n).Select(_ => (random.NextDouble() * 2) - 1)];
        var interplay = new Interplay(
            Draw(6), [.. Draw(6).Select(value => Math.Abs(value) + 0.1)], Draw(6), Draw(18), Draw(3), Draw(3), 0, 0);
        double[] inputs = [.. Draw(12), double.NegativeInfinity, .. Draw(5)];
        double[] found = interplay.Of(inputs);
        for (int at = 0; at < 3; at++)
        {
            double[] x = [.. Enumerable.Range(0, 6).Select(
                i => Math.Clamp((inputs[(at * 6) + i] - interplay.Means[i]) / interplay.Deviations[i], -5, 5))];
            double expected = x.Zip(interplay.Direct, (value, weight) => value * weight).Sum() + Enumerable.Range(0, 3).Sum(unit =>
                interplay.Out[unit] * Math.Tanh(
                    interplay.Biases[unit] + x.Select((value, i) => value * interplay.Hidden[(unit * 6) + i]).Sum()));
            Assert.Equal(expected, found[at], 1e-12);
        }
    }

    /// <summary>No weighted sum knows that behind short histories the one leg is right, behind long ones the other.</summary>
    [Fact]
    public void Which_leg_is_right_behind_which_history_is_learned()
    {
        var users = Held(3000, history => history < 5 ? 0 : 1);
        var found = InterplayFit.Choose(users, Weights, 1, Legs, 1, default);
        Assert.NotNull(found);
        var (fit, heldOut) = found.Value;
        Assert.Equal(users.Average(user => user.Ndcg(Weights)), fit.Alone, 1e-12);
        Assert.Equal(users.Zip(heldOut, (user, values) => user.With(values).Ndcg([.. Weights, 1])).Average(), fit.Joined, 1e-12);
        Assert.True(fit.Joined > fit.Alone + 0.1, $"{fit.Alone} alone, {fit.Joined} joined");
        var fresh = Held(1000, history => history < 5 ? 0 : 1, seed: 9);
        double reached = fresh.Average(
            user => user.With(fit.Of(Interplay.Inputs(user.Rows(), Legs, user.History))).Ndcg([.. Weights, 1]));
        Assert.Equal(fit.Joined, reached, 0.05);
        Assert.Equal(fit.Hidden, InterplayFit.Choose(users, Weights, 1, Legs, 1, default)!.Value.Fit.Hidden);
    }

    [Fact]
    public void Where_the_sum_knows_all_that_can_be_known_nothing_is_added()
    {
        Assert.Null(InterplayFit.Choose(Held(1500, _ => 2), Weights, 1, Legs, 1, default)); // targets by no rule
        Assert.Null(InterplayFit.Choose(Held(900, history => history < 5 ? 0 : 1), Weights, 1, Legs, 1, default)); // too few
    }

    [Fact]
    public void An_answer_names_it_as_a_part_and_a_saved_model_keeps_it()
    {
        var table = Tiny.Table(80, [6, 5, 4], 1);
        var interplay = new Interplay(new double[6], [1, 1, 1, 1, 1, 1], [0, 0, 0.5, 0, 0, 0.1], new double[6], [0], [0], 0.1, 0.2);
        var sum = new LegSum(
            new Dictionary<string, double> { [DenseLeg.Id] = 0.6, [DenseLeg.Content] = 0.4 }, -1, 1, 1, Interplay: interplay);
        using var folder = new TemporaryFolder();
        using (var model = Tiny.Model(table, [Tiny.Dense(80, 1), Tiny.Dense(80, 2, DenseLeg.Content)], sum: sum))
        {
            model.Save(folder.Path);
        }

        using var recommender = new Recommender(RetrievalModel.Load(folder.Path), table);
        var answers = recommender.Recommend(new RecommendQuery([3, 17], 80), default);
        Assert.All(answers, answer => Assert.Equal(answer.Score, answer.Parts.Sum(part => part.Weight * part.Value), 1e-9));
        double[] byId = [.. answers.Select(answer => answer.Parts[0].Value)];
        Assert.All(answers, answer => Assert.Equal(
            (-0.5 * Math.Log(2 + byId.Count(score => score > answer.Parts[0].Value))) + (0.1 * Math.Log(3)),
            answer.Parts.Single(part => part.Leg == Interplay.PartName).Value, 1e-9));
    }

    [Fact]
    public void Weights_that_do_not_fit_the_legs_are_refused()
    {
        var interplay = new Interplay(new double[6], [1, 1, 1, 1, 1, 0], new double[6], new double[6], [0], [0], 0, 0);
        var sum = new LegSum(new Dictionary<string, double> { [DenseLeg.Id] = 1 }, 0, 1, 1, Interplay: interplay);
        var faults = Faults.Of(found => sum.Check(found, [DenseLeg.Id]));
        Assert.Contains(faults, fault => fault.Contains("4 inputs", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("above 0", StringComparison.Ordinal));
    }

    /// <param name="right">By a history's length, the leg that ranks the target first; 2: none does.</param>
    private static HeldCandidates[] Held(int users, Func<int, int> right, int seed = 5)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, users).Select(_ =>
        {
            int history = random.Next(1, 10), target = random.Next(Candidates);
            double[][] parts = [.. Enumerable.Range(0, Candidates).Select(
                _ => (double[])[-6 * random.NextDouble(), -6 * random.NextDouble(), 0, random.Next(5), 0])];
            if (right(history) is < Legs and var leg)
            {
                parts[target][leg] = 0.01;
            }

            return HeldCandidates.Of(parts, target, history);
        })];
    }
}
