using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Legs.Dense;

namespace Recsys.Retrieval.Tests;

/// <summary>Boosts and caps, beside what they mean for the whole ranking.</summary>
public sealed class ShapedAnswerTests : IDisposable
{
    private const int Items = 300;

    private static readonly int[] History = [3, 17, 40];
    private static readonly string[] Brands = ["Acme", "Apex", "", "Zeta"];
    private static readonly ItemTable Table = Branded(Tiny.Table(Items, [6, 5, 4], 3));

    private readonly Recommender _recommender = new(
        Tiny.Model(
            Table, Tiny.Options, legs: [Tiny.Transitions(Items, 1), Tiny.Dense(Items, 1), Tiny.Dense(Items, 2, DenseLeg.Content)]),
        Table);

    [Theory]
    [InlineData(4, 5, 0)]
    [InlineData(10, 2, 0)]
    [InlineData(30, 1, 5)]
    [InlineData(250, 60, 0)]
    [InlineData(290, 1000, 0)]
    public void Of_one_text_come_so_many_and_the_best(int k, int most, int excluded)
    {
        var query = new RecommendQuery(History, k) { Caps = [new Cap("brand", most)], Exclude = [.. Enumerable.Range(0, excluded)] };
        var whole = _recommender.Recommend(query with { K = 1000, Caps = [] }, default);
        var counts = new Dictionary<string, int>();
        var expected = whole.Where(answer => Brand(answer.Item).Length == 0
            || (counts[Brand(answer.Item)] = counts.GetValueOrDefault(Brand(answer.Item)) + 1) <= most).Take(k).ToList();
        var found = _recommender.Recommend(query, default);
        Assert.Equal(expected.Count, found.Count);
        double sum = expected.Sum(answer => answer.Score);
        Assert.Equal(sum, found.Sum(answer => answer.Score), 0.02 * Math.Abs(sum)); // a beam may miss one that is as good
        Assert.All(found.CountBy(answer => Brand(answer.Item)), brand => Assert.True(brand.Key.Length == 0 || brand.Value <= most));
        Assert.Equal(found.Count, found.Select(answer => answer.Item).Distinct().Count());
        Assert.Equal(
            expected.Count, _recommender.Popular(query with { History = [] }).Select(answer => answer.Item).Distinct().Count());
    }

    [Fact]
    public void What_stands_far_behind_comes_forward_with_the_probability_that_it_has()
    {
        var query = new RecommendQuery(History, 10) { Caps = [new Cap("line", 1)], Boosts = [new Boost(new AnyOf("size", ["1"]), 0.5)] };
        var found = _recommender.Recommend(query, default);
        Assert.Equal(10, found.Count);
        Assert.Single(found, answer => answer.Item < 280);
        double Model(Recommendation answer) => answer.Score - (Size(answer.Item) == "1" ? 0.5 : 0);
        Assert.All(found, answer => Assert.Equal(
            Model(answer) - Model(found[0]), Math.Log(answer.Probability / found[0].Probability), 1e-6)); // one softmax at temperature 1
    }

    [Fact]
    public void Several_caps_hold_together_and_the_first_answers_are_those_of_the_whole_ranking()
    {
        var query = new RecommendQuery(History, 5) { Caps = [new Cap("brand", 2), new Cap("size", 1)] };
        var whole = _recommender.Recommend(new RecommendQuery(History, 1000), default);
        var expected = new List<int>();
        foreach (int item in whole.Select(answer => answer.Item))
        {
            bool fits = expected.Count(other => Brand(other) == Brand(item)) < 2 || Brand(item).Length == 0;
            if (fits && expected.All(other => Size(other) != Size(item)))
            {
                expected.Add(item);
            }
        }

        Assert.Equal(expected.Take(5), _recommender.Recommend(query with { Beam = 1000 }, default).Select(answer => answer.Item));
        Assert.Equal(Math.Min(7, expected.Count), _recommender.Recommend(query with { K = 7 }, default).Count);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(-0.5)]
    [InlineData(50)]
    [InlineData(-50)]
    public void A_boost_moves_items_as_it_would_in_the_whole_ranking(double add)
    {
        var boost = new Boost(new AnyOf("brand", ["Acme"]), add);
        var whole = _recommender.Recommend(new RecommendQuery(History, 1000), default);
        double Boosted(Recommendation answer) => answer.Score + (Brand(answer.Item) == "Acme" ? add : 0);
        var expected = whole.OrderByDescending(Boosted).ThenBy(answer => answer.Item).Take(10).ToList();
        var narrow = _recommender.Recommend(new RecommendQuery(History, 10) { Boosts = [boost] }, default);
        Assert.True(Math.Abs(add) < 1 || narrow.All(answer => Brand(answer.Item) == "Acme" == add > 0));
        var found = _recommender.Recommend(new RecommendQuery(History, 10, Beam: 1000) { Boosts = [boost] }, default);
        Assert.Equal(expected.Select(answer => answer.Item), found.Select(answer => answer.Item));
        Assert.All(expected.Zip(found), pair => Assert.Equal(Boosted(pair.First), pair.Second.Score, 1e-4));
        Assert.All(found, answer => Assert.Equal(answer.Parts.Sum(part => part.Weight * part.Value), answer.Score, 1e-9));
        Assert.All(
            found, answer => Assert.Equal(Brand(answer.Item) == "Acme", answer.Parts.Any(part => part is { Leg: "boost", Weight: 1 })));
        var popular = _recommender.Popular(new RecommendQuery([], 10) { Boosts = [boost] });
        Assert.All(popular, answer => Assert.Equal(add > 0, Brand(answer.Item) == "Acme"));
    }

    [Fact]
    public void A_boost_of_all_items_alike_changes_no_order_and_no_probability()
    {
        var query = new RecommendQuery(History, 20);
        var plain = _recommender.Recommend(query, default);
        var found = _recommender.Recommend(
            query with { Boosts = [new Boost(new NoneOf("brand", []), 3)] }, default);
        Assert.Equal(plain.Select(answer => answer.Item), found.Select(answer => answer.Item));
        Assert.All(plain.Zip(found), pair => Assert.Equal(pair.First.Probability, pair.Second.Probability, 1e-6));
        Assert.Throws<CatalogException>(() => _recommender.Recommend(
            query with { Boosts = [new Boost(new NoneOf("colour", []), 3)] }, default));
        Assert.Throws<CatalogException>(() => _recommender.Recommend(query with { Caps = [new Cap("colour", 3)] }, default));
    }

    public void Dispose() => _recommender.Dispose();

    private static string Brand(int item) => Brands[item * 7 % 11 % 4];

    private static string Size(int item) => $"{item % 6}";

    private static ItemTable Branded(ItemTable table) => new(
        table.Ids, table.SemanticIds, table.Titles, table.CodebookSizes,
        new ItemAttributes(
            ["brand", "size", "line"],
            Enumerable.Range(0, Items).Select(item => new[] { Brand(item), Size(item), item < 280 ? "the usual" : $"line {item}" })));
}
