using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

/// <summary>Weights of legs whose worth is known.</summary>
public class SumSearchTests
{
    private const int Items = 40, Users = 400;

    private static readonly ItemTable Table = Tiny.Table(Items, [8, 8], 1);

    private static readonly Random Random = new(3);

    /// <summary>Users whose next item is the one after their last.</summary>
    private static readonly HeldOut Steps = Held(_ => [Random.Next(Items), Random.Next(Items)], history => (history[^1] + 1) % Items);

    [Fact]
    public void A_leg_of_noise_gets_no_weight_beside_one_that_knows()
    {
        var sum = Choose(Steps, Knows(DenseLeg.Id), Noise(DenseLeg.Content, 10));
        Assert.InRange(sum.Weights[DenseLeg.Content], 0, 0.05);
        Assert.Equal(1, sum.Weights.Values.Sum(), 1e-3);
    }

    [Fact]
    public void Two_legs_that_each_know_half_both_get_weight()
    {
        ILeg Half(string name, int rest) => new Fake(name, history => Scores(item =>
            history[^1] % 2 == rest ? (item == (history[^1] + 1) % Items ? 0 : -9) : -5 + (0.01 * Hash(name, item, history))));
        var sum = Choose(Steps, Half(DenseLeg.Id, 0), Half(DenseLeg.Content, 1));
        Assert.All(sum.Weights.Values, weight => Assert.True(weight > 0.05, $"{weight}"));
    }

    [Fact]
    public void A_repeat_costs_where_nothing_repeats_and_gains_where_everything_does()
    {
        // The leg thinks a little more of the items of a history than of the next one.
        ILeg Fond() => new Fake(DenseLeg.Id, history => Scores(
            item => history.Contains(item) ? -0.5 : item == (history[^1] + 1) % Items ? -1 : -4 - (0.01 * item)));
        Assert.True(Choose(Steps, Fond()).Repeat <= -0.5);

        var again = Held(_ => [Random.Next(Items), Random.Next(Items)], history => history[0]);
        ILeg Shy() => new Fake(DenseLeg.Id, history => Scores(item => history.Contains(item) ? -2 : -1.5 - (0.001 * item)));
        Assert.True(Choose(again, Shy()).Repeat >= 0.5);
    }

    [Fact]
    public void Popularity_has_the_weight_that_finds_the_targets()
    {
        // Which of two items comes next, how often they were taken tells alone.
        int[] interactions = [.. Enumerable.Range(0, Items).Select(item => item % 2 == 0 ? 100 : 1)];
        ILeg Pairs() => new Fake(DenseLeg.Id, history => Scores(item => item / 2 == (history[^1] + 2) % Items / 2 ? -1 : -5));
        var rare = Held(_ => [Random.Next(Items)], history => (((history[^1] + 2) % Items) / 2 * 2) + 1);
        var popular = rare with { Targets = [.. rare.Targets.Select(item => item - 1)] };
        LegSum Chosen(HeldOut held) => SumSearch.Choose(
            Tiny.Model(Table, [Pairs()], interactions: interactions), Table, held, null, 1, null, default).Config.Sum;
        Assert.True(Chosen(rare).Popularity < 0);
        Assert.True(Chosen(popular).Popularity >= 0);
    }

    [Fact]
    public void Cold_items_gain_where_targets_are_cold_and_lose_nowhere()
    {
        // A leg that ranks an item without interactions below all others, though it is the next one.
        int[] interactions = [.. Enumerable.Range(0, Items).Select(item => item < 3 ? 0 : 5)];
        ILeg Late() => new Fake(DenseLeg.Id, history => Scores(item => item < 3 ? -6 - item : -1 - (0.01 * item)));
        LegSum Chosen(HeldOut held) => SumSearch.Choose(
            Tiny.Model(Table, [Late()], interactions: interactions), Table, held, null, 1, null, default).Config.Sum;
        Assert.True(Chosen(Held(_ => [5 + Random.Next(20)], _ => 1)).Cold > 2);
        Assert.Equal(0, Chosen(Held(_ => [5 + Random.Next(20)], _ => 30)).Cold);
    }

    [Fact]
    public void Given_weights_are_kept_and_a_leg_that_they_do_not_name_has_none()
    {
        var given = new Dictionary<string, double> { [DenseLeg.Content] = 3 };
        var sum = Choose(Steps, given, Knows(DenseLeg.Id), Noise(DenseLeg.Content, 1));
        Assert.Equal((0, 3), (sum.Weights[DenseLeg.Id], sum.Weights[DenseLeg.Content]));
    }

    /// <summary>Targets are drawn as the leg's scores say, after they are divided by 2.</summary>
    [Fact]
    public void The_temperature_makes_probabilities_honest()
    {
        double[] logits = [.. Enumerable.Range(0, Items).Select(item => -0.15 * item)];
        double[] share = [.. logits.Select(Math.Exp)];
        int Draw()
        {
            double at = Random.NextDouble() * share.Sum();
            int item = 0;
            while (item < Items - 1 && (at -= share[item]) > 0)
            {
                item++;
            }

            return item;
        }

        var held = Held(_ => [Random.Next(Items)], _ => Draw(), users: 4000);
        var sum = Choose(
            held, new Dictionary<string, double> { [DenseLeg.Id] = 1 }, new Fake(DenseLeg.Id, _ => Scores(item => 2 * logits[item])));
        Assert.InRange(sum.Temperature, 1.75, 2.5);
        Assert.Equal(1, sum.Coverage);
    }

    [Fact]
    public void Coverage_is_the_share_of_targets_that_are_candidates()
    {
        // A leg brings its 50 best and one more for the history, here the last 51 of 200 items; a quarter of the targets is among them.
        const int Many = 200;
        var table = Tiny.Table(Many, [8, 8, 8], 1);
        var held = Held(_ => [199], _ => 0) with { Targets = [.. Enumerable.Range(0, Users).Select(user => user % 4 == 0 ? 150 : 20)] };
        var leg = new Fake(TransitionLeg.LegName, _ => [.. Enumerable.Range(0, Many).Select(item => (float)item)]);
        var chosen = SumSearch.Choose(Tiny.Model(table, [leg]), table, held, null, 1, null, default);
        Assert.Equal(0.25, chosen.Config.Sum.Coverage, 1e-12);
    }

    [Fact]
    public void What_was_chosen_is_not_worse_than_all_legs_alike()
    {
        foreach (double loud in new[] { 0.5, 2, 8 })
        {
            var (knows, noise) = (Knows(DenseLeg.Id), Noise(DenseLeg.Content, loud));
            var sum = Choose(Steps, knows, noise);
            Assert.True(Found(sum) >= Found(LegSum.Even([DenseLeg.Id, DenseLeg.Content])));

            int Found(LegSum how)
            {
                using var recommender = new Recommender(Tiny.Model(Table, [knows, noise], sum: how), Table);
                return Enumerable.Range(0, Users).Count(user => recommender.Recommend(
                    new RecommendQuery(Steps.Histories[user], 1), default)[0].Item == Steps.Targets[user]);
            }
        }
    }

    /// <summary>Behind short histories the one leg knows the next item, behind long ones the other, and each is as loud where it does
    /// not.</summary>
    [Fact]
    public void Where_no_weighted_sum_can_say_it_the_answers_use_what_legs_say_together()
    {
        ILeg Right(string name, bool behindShort) => new Fake(name, history => Scores(item =>
            ((history.Count < 4) == behindShort ? item == (history[^1] + 1) % Items : item == (history[0] + 7) % Items)
                ? -0.5 : -3 - (0.5 * Hash(name, item, history))));
        var held = Held(
            _ => [.. Enumerable.Range(0, Random.Next(1, 7)).Select(_ => Random.Next(Items))], history => (history[^1] + 1) % Items, 2000);
        var (one, other) = (Right(DenseLeg.Id, true), Right(DenseLeg.Content, false));
        var chosen = Choose(held, one, other);
        Assert.NotNull(chosen.Interplay);
        Assert.True(chosen.Interplay.Joined > chosen.Interplay.Alone + 0.05, chosen.Summary);
        Assert.Null(Choose(held, new Dictionary<string, double> { [DenseLeg.Id] = 1, [DenseLeg.Content] = 1 }, one, other).Interplay);
        int with = Found(chosen), without = Found(chosen with { Interplay = null });
        Assert.True(with > 1.1 * without, $"{with} with, {without} without");

        int Found(LegSum how)
        {
            using var recommender = new Recommender(Tiny.Model(Table, [one, other], sum: how), Table);
            return Enumerable.Range(0, held.Count).Count(user => recommender.Recommend(
                new RecommendQuery(held.Histories[user], 1), default)[0].Item == held.Targets[user]);
        }
    }

    private static LegSum Choose(HeldOut held, params ILeg[] legs) => Choose(held, null, legs);

    private static LegSum Choose(HeldOut held, Dictionary<string, double>? given, params ILeg[] legs) =>
        SumSearch.Choose(Tiny.Model(Table, legs), Table, held, given, 1, null, default).Config.Sum;

    private static HeldOut Held(Func<int, int[]> history, Func<int[], int> target, int users = Users)
    {
        int[][] histories = [.. Enumerable.Range(0, users).Select(history)];
        return new HeldOut(histories, [.. histories.Select(target)]);
    }

    /// <summary>Scores the item after the last one above all others.</summary>
    private static Fake Knows(string name) => new(name, history => Scores(item => item == (history[^1] + 1) % Items ? -0.5 : -3));

    private static Fake Noise(string name, double scale) => new(name, history => Scores(item => scale * Hash(name, item, history)));

    private static float[] Scores(Func<int, double> score) => [.. Enumerable.Range(0, Items).Select(item => (float)score(item))];

    /// <summary>A number from -1 to 1 that means nothing, the same at every call.</summary>
    private static double Hash(string name, int item, IReadOnlyList<int> history)
    {
        int seed = name.Length;
        foreach (int part in history.Prepend(item))
        {
            seed = unchecked((seed * 1_000_003) + part);
        }

        return (new Random(seed).NextDouble() * 2) - 1;
    }

    private sealed class Fake(string name, Func<IReadOnlyList<int>, float[]> scores) : ILeg
    {
        public string Name => name;

        public int History => 50;

        public Tensor Scores(
            IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh = null,
            IReadOnlyList<IReadOnlyList<double>?>? weights = null) => tensor(
            histories.SelectMany(scores).ToArray(), [histories.Count, scores(histories[0]).Length]);

        public void Save(string folder) => throw new InvalidOperationException("Nothing is saved here.");

        public void Dispose()
        {
        }
    }
}
