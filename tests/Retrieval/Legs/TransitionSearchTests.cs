using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests.Legs;

public class TransitionSearchTests
{
    private const int Items = 14;

    /// <summary>Few items, so that hardly a target stands behind the tenth place, where NDCG@10 no longer tells it.</summary>
    [Theory]
    [InlineData(0.2)]
    [InlineData(0)]
    [InlineData(-0.3)]
    public void What_is_judged_is_the_place_in_a_full_sort_of_the_items_that_are_not_passed_over(double popularity)
    {
        var training = Tiny.Sequences(Items, 12, 4, 2); // few: many items have no evidence, and some share a prior
        using var leg = TransitionLeg.Train(training, Items, new TransitionOptions { Window = 1, Popularity = popularity }, null, default);
        var random = new Random(4);
        int repeats = 0, ties = 0;
        for (int user = 0; user < 400; user++)
        {
            int[] history = [.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => random.Next(Items))];
            int target = random.Next(Items);
            using var all = leg.Scores([history]);
            float[] scores = all.data<float>().ToArray();
            bool repeated = history.Contains(target);
            int place = Enumerable.Range(0, Items).Where(item => repeated || !history.Contains(item))
                .OrderByDescending(item => scores[item]).ThenBy(item => item).ToList().IndexOf(target);
            repeats += repeated ? 1 : 0;
            ties += scores.Count(score => score == scores[target]) > 1 ? 1 : 0;

            Assert.Equal(RankingMetrics.Ndcg(place, 10), TransitionSearch.Ndcg(leg, new HeldOut([history], [target])), 1e-12);
        }

        Assert.InRange(repeats, 20, 380);
        Assert.InRange(ties, 20, 400);
    }

    [Fact]
    public void Many_users_are_judged_by_their_mean()
    {
        using var leg = Tiny.Transitions(Items, 2);
        int[][] histories = [.. Enumerable.Range(0, 300).Select(user => new[] { user % Items, user * 5 % Items })];
        int[] targets = [.. Enumerable.Range(0, 300).Select(user => user * 11 % Items)];
        double mean = histories.Zip(targets).Average(user => TransitionSearch.Ndcg(leg, new HeldOut([user.First], [user.Second])));
        Assert.Equal(mean, TransitionSearch.Ndcg(leg, new HeldOut(histories, targets)), 1e-12);
    }

    [Fact]
    public void The_window_that_holds_the_target_and_not_what_is_behind_it_is_chosen()
    {
        // After 0 come, each beside items of one user alone, 1 at distance 2 and, more often, 2 at distances 4 to 8.
        int next = 3;
        int[][] walks = [.. Enumerable.Range(0, 6).Select(_ => new[] { 0, next++, 1, next++, 2, next++, 2, next++, 2 })];
        var chosen = TransitionSearch.Choose(
            Tiny.Sequences(walks), next, Fixed with { Window = null }, new HeldOut([[0]], [1]), default);
        Assert.Equal(Given with { Window = 3 }, chosen);
    }

    [Fact]
    public void A_short_memory_is_chosen_where_the_last_item_alone_says_what_comes()
    {
        // 2 follows 1 once; 3 follows 0 seven times. Users who took 0 and then 1 take 2.
        int[][] walks = [[1, 2], .. Enumerable.Range(0, 7).Select(_ => new[] { 0, 3 })];
        var chosen = TransitionSearch.Choose(Tiny.Sequences(walks), 4, Fixed with { Recency = null }, new HeldOut([[0, 1]], [2]), default);
        Assert.InRange(chosen.Recency, 0.2, 0.3); // from a third on, ln 8 of the older is more than ln 2 of the newer
        Assert.Equal(Given, chosen with { Recency = Given.Recency });
    }

    [Fact]
    public void Popularity_counts_for_an_item_where_the_popular_are_taken_and_against_it_where_the_rare_are()
    {
        int[][] walks = [[0], [0], [1], [1], [2, 3], [3], [3], [3]];
        var chosen = TransitionSearch.Choose(Tiny.Sequences(walks), 4, Fixed with { Popularity = null }, new HeldOut([[0]], [3]), default);
        Assert.True(chosen.Popularity > 0, $"{chosen.Popularity}");
        var rare = TransitionSearch.Choose(Tiny.Sequences(walks), 4, Fixed with { Popularity = null }, new HeldOut([[3]], [2]), default);
        Assert.True(rare.Popularity < 0, $"{rare.Popularity}");
    }

    [Fact]
    public void What_is_given_is_kept()
    {
        var training = Tiny.Sequences(Items, 100, 8, 5);
        var held = new HeldOut([.. Enumerable.Range(0, 100).Select(user => training[user].ToArray())], [.. new int[100]]);
        Assert.Equal(Given, TransitionSearch.Choose(training, Items, Fixed, held, default));
    }

    private static TransitionReading Given => new(7, 0, 1, 1, 0);

    private static TransitionOptions Fixed => new()
    {
        Window = Given.Window, DistancePower = Given.DistancePower, EvidenceScale = Given.EvidenceScale, Recency = Given.Recency,
        Popularity = Given.Popularity,
    };
}
