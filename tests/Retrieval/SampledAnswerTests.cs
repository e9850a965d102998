namespace Recsys.Retrieval.Tests;

/// <summary>Answers drawn by lot.</summary>
public class SampledAnswerTests
{
    private static readonly ItemTable Table = Tiny.Table(40, [6, 5, 4], 3);

    /// <summary>First answers are drawn as often as they are probable: a chi-square test over the likeliest.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_first_answer_is_drawn_in_proportion_to_its_probability(double temperature)
    {
        using var recommender = Made();
        var query = new RecommendQuery([3, 17], 40);
        var all = recommender.Recommend(query, default);
        double[] chances = [.. all.Select(answer => Math.Pow(answer.Probability, 1 / temperature))];
        double total = chances.Sum();
        const int draws = 3000;
        var drawn = Enumerable.Range(0, draws)
            .CountBy(seed => recommender.Recommend(query with { Sampling = new Sampling(seed, temperature) }, default)[0].Item)
            .ToDictionary();
        var tested = all.Zip(chances).Where(of => of.Second / total * draws >= 20).ToArray();
        double square = tested.Sum(of =>
        {
            double expected = of.Second / total * draws;
            return Math.Pow(drawn.GetValueOrDefault(of.First.Item) - expected, 2) / expected;
        });
        Assert.InRange(tested.Length, 5, 40);
        Assert.InRange(square, 0, tested.Length + (4 * Math.Sqrt(2 * tested.Length))); // mean, and four deviations
    }

    [Fact]
    public void The_same_seed_draws_the_same_and_what_is_said_of_an_item_stays()
    {
        using var recommender = Made();
        var query = new RecommendQuery([3, 17], 8);
        var all = recommender.Recommend(query with { K = 40 }, default).ToDictionary(answer => answer.Item);
        var first = recommender.Recommend(query with { Sampling = new Sampling(5, 1) }, default);
        Assert.Equal(Tiny.Text(first), Tiny.Text(recommender.Recommend(query with { Sampling = new Sampling(5, 1) }, default)));
        Assert.Equal(8, first.DistinctBy(answer => answer.Item).Count());
        Assert.All(first, answer => Assert.Equal(all[answer.Item].Score, answer.Score, 1e-9));
        Assert.NotEqual(Tiny.Text(first), Tiny.Text(recommender.Recommend(query with { Sampling = new Sampling(6, 1) }, default)));
        var best = recommender.Recommend(query, default);
        Assert.Equal(Tiny.Text(best), Tiny.Text(recommender.Recommend(query with { Sampling = new Sampling(6, 1e-9) }, default)));
        var popular = recommender.Popular(query with { History = [], Sampling = new Sampling(6, 1) });
        Assert.NotEqual(
            recommender.Popular(query with { History = [] }).Select(answer => answer.Item), popular.Select(answer => answer.Item));
    }

    private static Recommender Made() =>
        new(Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(40, 1), Tiny.Dense(40, 1)]), Table);
}
