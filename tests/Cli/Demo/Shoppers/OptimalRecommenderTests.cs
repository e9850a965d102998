using Recsys.Catalog;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Tests.Demo.Shoppers;

public sealed class OptimalRecommenderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void On_a_small_catalogue_it_equals_the_sum_over_every_hidden_path(int seed)
    {
        var items = Stickers.Small("a", "a", "a", "b", "b", "c", "c", "c", "c");
        var shopping = StickerShoppers.Simulate(items, new StickerShopperOptions
        {
            Shoppers = 20, Seed = (ulong)seed, MinLength = 1, MaxLength = 5, Personas = 3, Switch = 0.4, Noise = 0.2,
        });
        var optimal = new OptimalRecommender(shopping.Model);
        for (int user = 0; user < 20; user++)
        {
            var history = shopping.Sequences[user].ToArray();
            var expected = ByEnumeration(shopping.Model, history);
            var got = optimal.NextProbabilities(history);
            for (int item = 0; item < items.Count; item++)
            {
                Assert.Equal(expected[item], got[item], 10);
            }
        }
    }

    [Fact]
    public void Probabilities_sum_to_one_and_leave_out_the_history()
    {
        var optimal = new OptimalRecommender(Stickers.Shopping.Model);
        foreach (int user in new[] { 0, 1, 2, 3000, 5999 })
        {
            var history = Stickers.Shopping.Sequences[user];
            for (int length = 0; length <= history.Length; length++)
            {
                var probabilities = optimal.NextProbabilities(history[..length]);
                Assert.Equal(1, probabilities.Sum(), 9);
                Assert.All(history[..length].ToArray(), item => Assert.Equal(0, probabilities[item]));
            }
        }
    }

    [Fact]
    public void Its_hits_agree_with_its_own_probabilities()
    {
        var optimal = new OptimalRecommender(Stickers.Shopping.Model);
        var split = new LeaveOneOut(Stickers.Shopping.Sequences);
        var users = split.EvaluatedUsers;
        var best = users.AsParallel()
            .Select(user => optimal.NextProbabilities(split.TestHistory(user)).OrderDescending().Take(10).ToArray())
            .ToArray(); // [users][10] probabilities of the ten that it names
        foreach (int k in new[] { 1, 5, 10 })
        {
            double recall = best.Average(ten => ten.Take(k).Sum());
            double ndcg = best.Average(ten => ten.Take(k).Select((p, rank) => p / Math.Log2(rank + 2)).Sum());
            // A sum of Bernoulli trials: at most n / 4 in variance; four standard errors.
            double error = 4 * Math.Sqrt(recall * (1 - recall) / users.Length);
            Assert.InRange(Stickers.Score[$"recall@{k}"], recall - error, recall + error);
            Assert.InRange(Stickers.Score[$"ndcg@{k}"], ndcg - error, ndcg + error);
        }
    }

    [Fact]
    public void Targets_given_a_probability_near_p_come_true_in_a_share_near_p()
    {
        // Reliability of single probabilities, in ten bins, over the first 1,500 shoppers.
        var optimal = new OptimalRecommender(Stickers.Shopping.Model);
        var split = new LeaveOneOut(Stickers.Shopping.Sequences);
        var (expected, variance, observed) = (new double[10], new double[10], new double[10]);
        foreach (int user in split.EvaluatedUsers.Take(1500))
        {
            var probabilities = optimal.NextProbabilities(split.TestHistory(user));
            for (int item = 0; item < probabilities.Length; item++)
            {
                int bin = Math.Min(9, (int)(probabilities[item] * 10));
                expected[bin] += probabilities[item];
                variance[bin] += probabilities[item] * (1 - probabilities[item]);
                observed[bin] += item == split.TestTarget(user) ? 1 : 0;
            }
        }

        for (int bin = 0; bin < 10; bin++)
        {
            double margin = (4 * Math.Sqrt(variance[bin])) + 1;
            Assert.InRange(observed[bin], expected[bin] - margin, expected[bin] + margin);
        }
    }

    [Fact]
    public void No_counting_baseline_reaches_it()
    {
        var best = Stickers.Score;
        foreach (double[] recall in Baselines.All)
        {
            Assert.True(recall[0] < best["recall@5"] - 0.05);
            Assert.True(recall[1] < best["recall@10"] - 0.05);
        }
    }

    [Fact]
    public void A_history_that_no_simulated_shopper_can_have_is_refused()
    {
        var optimal = new OptimalRecommender(Stickers.Shopping.Model);

        Assert.Throws<CatalogException>(() => optimal.NextProbabilities([3, 3]));
        Assert.Throws<CatalogException>(() => optimal.NextProbabilities([-1]));
    }

    /// <summary>Written from the model's description alone: every persona, every path of themes, every product of probabilities.</summary>
    private static double[] ByEnumeration(TasteModel model, int[] history)
    {
        int themes = model.Themes.Length;
        var next = new double[model.ItemCount];
        for (int persona = 0; persona < model.Tastes.Length; persona++)
        {
            Walk(persona, -1, 0, 1.0 / model.Tastes.Length);
        }

        double total = next.Sum();
        return [.. next.Select(value => value / total)];

        void Walk(int persona, int theme, int step, double probability)
        {
            for (int to = 0; to < themes; to++)
            {
                double move = Move(persona, theme, to);
                if (move == 0)
                {
                    continue;
                }

                if (step == history.Length)
                {
                    for (int item = 0; item < next.Length; item++)
                    {
                        next[item] += probability * move * Take(item, to, history);
                    }
                }
                else
                {
                    Walk(persona, to, step + 1, probability * move * Take(history[step], to, history[..step]));
                }
            }
        }

        double Move(int persona, int from, int to)
        {
            double taste = model.Tastes[persona].Where(favourite => favourite.Theme == to).Sum(favourite => favourite.Weight);
            if (from < 0)
            {
                return taste;
            }

            double related = model.RelatedThemes[from].Count(theme => theme == to) / 2.0;
            return (from == to ? 1 - model.Options.Switch : 0)
                + (model.Options.Switch * ((model.Options.Related * related) + ((1 - model.Options.Related) * taste)));
        }

        double Take(int item, int theme, int[] before)
        {
            return before.Contains(item)
                ? 0
                : Weight(item) / Enumerable.Range(0, next.Length).Where(other => !before.Contains(other)).Sum(Weight);

            double Weight(int other)
            {
                double noise = model.Options.Noise / next.Length;
                if (model.ThemeOf[other] != theme)
                {
                    return noise;
                }

                var owned = before.Where(taken => model.ThemeOf[taken] == theme).ToArray();
                var successors = owned.Length == 0 ? [] : model.Successors[owned[^1]];
                double follow = successors.Length == 0 ? 0 : model.Options.Succession;
                double succeeds = successors.Where(pair => pair.Item == other).Sum(pair => pair.Probability);
                return noise + ((1 - model.Options.Noise) * ((follow * succeeds) + ((1 - follow) * model.Popularity[other])));
            }
        }
    }
}
