using Recsys.Catalog;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Tests.Demo.Shoppers;

public sealed class StickerShoppersTests
{
    private static readonly TasteModel Model = Stickers.Shopping.Model;
    private static readonly SequenceSet Sequences = Stickers.Shopping.Sequences;

    [Fact]
    public void The_default_seed_gives_the_pinned_sequences() =>
        Assert.Equal("bf92e4321dc76cee35164798f04cb482c711a0aac4ca5425c9ade9e0105c9674", new LeaveOneOut(Sequences).Sha256);

    [Fact]
    public void The_same_seed_gives_the_same_shoppers_and_another_seed_others()
    {
        var few = new StickerShopperOptions { Shoppers = 50 };

        var first = StickerShoppers.Simulate(Stickers.Items, few);
        var again = StickerShoppers.Simulate(Stickers.Items, few);
        var other = StickerShoppers.Simulate(Stickers.Items, few with { Seed = 1 });

        Assert.Equal(first.Sequences.Items, again.Sequences.Items);
        Assert.NotEqual(first.Sequences.Items, other.Sequences.Items);
        Assert.Equal(Sequences.Items[..first.Sequences.Items.Length], first.Sequences.Items); // as among 6,000
    }

    [Fact]
    public void Everyone_takes_5_to_20_different_stickers_and_is_named_simulated()
    {
        Assert.Equal(6000, Sequences.Count);
        for (int user = 0; user < Sequences.Count; user++)
        {
            var items = Sequences[user].ToArray();
            Assert.InRange(items.Length, 5, 20);
            Assert.Equal(items.Length, items.Distinct().Count());
            Assert.StartsWith("simulated-", Sequences.Users[user], StringComparison.Ordinal);
        }

        Assert.InRange(Sequences.Items.Length / 6000.0, 12.5 - 0.25, 12.5 + 0.25); // 4 standard errors
    }

    [Fact]
    public void Every_table_of_the_model_is_a_distribution()
    {
        Assert.All(Model.Themes, members => Assert.Equal(1, members.Sum(item => Model.Popularity[item]), 12));
        Assert.All(Model.Tastes, taste => Assert.Equal(1, taste.Sum(favourite => favourite.Weight), 12));
        Assert.All(Model.Tastes, taste => Assert.Equal(taste.Length, taste.Select(favourite => favourite.Theme).Distinct().Count()));
        Assert.All(Enumerable.Range(0, Model.ItemCount).Where(item => Model.Successors[item].Length > 0), item =>
        {
            Assert.Equal(1, Model.Successors[item].Sum(next => next.Probability), 12);
            Assert.All(Model.Successors[item], next => Assert.True(next.Item != item && Model.ThemeOf[next.Item] == Model.ThemeOf[item]));
        });
    }

    [Fact]
    public void First_themes_are_drawn_from_the_tastes()
    {
        var expected = new double[Model.Themes.Length];
        var observed = new double[Model.Themes.Length];
        for (int user = 0; user < Sequences.Count; user++)
        {
            observed[Stickers.Shopping.Themes[Sequences.Offsets[user]]]++;
            foreach (var (theme, weight) in Model.Tastes[Stickers.Shopping.Personas[user]])
            {
                expected[theme] += weight;
            }
        }

        AssertChiSquare(expected, observed);
    }

    [Fact]
    public void Themes_change_as_often_and_to_where_the_model_says()
    {
        var options = Model.Options;
        var (expected, observed) = (new double[3], new double[3]); // stays, to a related theme, to another
        for (int user = 0; user < Sequences.Count; user++)
        {
            for (int at = Sequences.Offsets[user] + 1; at < Sequences.Offsets[user + 1]; at++)
            {
                var (from, to) = (Stickers.Shopping.Themes[at - 1], Stickers.Shopping.Themes[at]);
                int[] related = Model.RelatedThemes[from];
                var tastes = Model.Tastes[Stickers.Shopping.Personas[user]];
                double Taste(Func<int, bool> where) => tastes.Where(taste => where(taste.Theme)).Sum(taste => taste.Weight);
                double stays = 1 - options.Switch + (options.Switch * (1 - options.Related) * Taste(theme => theme == from));
                double nearby = Taste(theme => theme != from && related.Contains(theme));
                double nears = options.Switch * (options.Related + ((1 - options.Related) * nearby));
                expected[0] += stays;
                expected[1] += nears;
                expected[2] += 1 - stays - nears;
                observed[to == from ? 0 : related.Contains(to) ? 1 : 2]++;
            }
        }

        AssertChiSquare(expected, observed);
    }

    [Fact]
    public void Stickers_follow_their_successor_lists_and_popularity_as_stated()
    {
        // Conditional on the hidden theme and the history, every sticker has a stated probability: add it up over all steps by
        // what the sticker is (first, second, third successor; else of the theme; else noise) and compare with what was taken.
        var options = Model.Options;
        var (expected, observed) = (new double[5], new double[5]);
        for (int user = 0; user < Sequences.Count; user++)
        {
            var history = new List<int>();
            for (int at = Sequences.Offsets[user]; at < Sequences.Offsets[user + 1]; at++)
            {
                int theme = Stickers.Shopping.Themes[at];
                int last = history.FindLastIndex(item => Model.ThemeOf[item] == theme) is var place && place < 0 ? -1 : history[place];
                var successors = last < 0 ? [] : Model.Successors[last];
                double succession = successors.Length > 0 ? options.Succession : 0;
                double Stated(int item)
                {
                    double succeeds = successors.Where(next => next.Item == item).Sum(next => next.Probability);
                    double within = (succession * succeeds) + ((1 - succession) * Model.Popularity[item]);
                    return (options.Noise / Model.ItemCount) + (Model.ThemeOf[item] != theme ? 0 : (1 - options.Noise) * within);
                }

                int Kind(int item)
                {
                    int rank = Array.FindIndex(successors, next => next.Item == item);
                    return rank >= 0 ? rank : Model.ThemeOf[item] == theme ? 3 : 4;
                }

                double free = 1 - history.Sum(Stated);
                double rest = 1;
                foreach (int item in Model.Themes[theme].Where(item => !history.Contains(item)))
                {
                    expected[Kind(item)] += Stated(item) / free;
                    rest -= Stated(item) / free;
                }

                expected[4] += rest;
                observed[Kind(Sequences.Items[at])]++;
                history.Add(Sequences.Items[at]);
            }
        }

        AssertChiSquare(expected, observed);
    }

    [Theory]
    [InlineData("no subcategory")]
    [InlineData("too few items")]
    [InlineData("options")]
    public void Bad_input_is_named(string what)
    {
        var nameless = new Item("x", "", new Dictionary<string, string>(), null);
        var wrong = new StickerShopperOptions { Shoppers = 0, Noise = double.NaN, MaxLength = 3 };
        Action simulate = what switch
        {
            "no subcategory" => () => StickerShoppers.Simulate([.. Stickers.Items, nameless]),
            "too few items" => () => StickerShoppers.Simulate(Stickers.Small("a", "b")),
            _ => () => StickerShoppers.Simulate(Stickers.Items, wrong),
        };

        var fault = Assert.Throws<CatalogException>(simulate);

        Assert.Equal(Fault.InvalidArgument, fault.Fault);
        string[] named = what switch
        {
            "no subcategory" => ["'x'"],
            "too few items" => ["too small"],
            _ => ["Shoppers is 0", "Noise is NaN", "MaxLength is 3"],
        };
        Assert.All(named, part => Assert.Contains(part, fault.Message, StringComparison.Ordinal));
    }

    /// <summary>Pearson's statistic within 4 standard deviations of its mean (cells expected below 5 are joined).</summary>
    private static void AssertChiSquare(double[] expected, double[] observed)
    {
        Assert.Equal(expected.Sum(), observed.Sum(), 6);
        var all = expected.Zip(observed).ToArray();
        var rare = all.Where(cell => cell.First < 5).ToArray();
        var joined = (First: rare.Sum(cell => cell.First), Second: rare.Sum(cell => cell.Second));
        var cells = all.Where(cell => cell.First >= 5).Append(joined).Where(cell => cell.First > 0).ToArray();
        double statistic = cells.Sum(cell => (cell.Second - cell.First) * (cell.Second - cell.First) / cell.First);
        double freedom = cells.Length - 1;
        Assert.True(statistic < freedom + (4 * Math.Sqrt(2 * freedom)), $"chi-square {statistic:F1} at {freedom} degrees of freedom");
    }
}
