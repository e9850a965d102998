using Recsys.Catalog;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>Simulates shoppers of the sticker catalogue from <see cref="TasteModel"/>. What it makes is no one's behaviour: say
/// "simulated".</summary>
public static class StickerShoppers
{
    /// <param name="items">Each with a field <c>subcategory</c>; sequences hold their indexes.</param>
    /// <exception cref="CatalogException">As <see cref="TasteModel"/>.</exception>
    public static SimulatedShopping Simulate(IReadOnlyList<Item> items, StickerShopperOptions? options = null)
    {
        var model = new TasteModel(items, options ?? new StickerShopperOptions());
        int shoppers = model.Options.Shoppers;
        var (users, offsets, personas) = (new string[shoppers], new int[shoppers + 1], new int[shoppers]);
        var (taken, themes) = (new List<int>(), new List<int>());
        var lastOfTheme = new int[model.Themes.Length];
        for (int shopper = 0; shopper < shoppers; shopper++)
        {
            // A stream of random numbers of its own: shopper 17 is the same among a hundred and among a million.
            var random = SplitMix64.Stream(model.Options.Seed, (ulong)shopper);
            users[shopper] = $"simulated-{shopper + 1:D5}";
            personas[shopper] = random.Next(model.Tastes.Length);
            int length = model.Options.MinLength + random.Next(model.Options.MaxLength - model.Options.MinLength + 1);
            Array.Fill(lastOfTheme, -1);
            int theme = -1;
            for (int step = 0; step < length; step++)
            {
                theme = NextTheme(model, personas[shopper], theme, ref random);
                int item = NextItem(model, theme, lastOfTheme[theme], taken, offsets[shopper], ref random);
                lastOfTheme[model.ThemeOf[item]] = item;
                taken.Add(item);
                themes.Add(theme);
            }

            offsets[shopper + 1] = taken.Count;
        }

        return new SimulatedShopping(model, new SequenceSet(users, offsets, [.. taken]), personas, [.. themes]);
    }

    private static int NextTheme(TasteModel model, int persona, int theme, ref SplitMix64 random)
    {
        if (theme >= 0)
        {
            if (random.NextDouble() >= model.Options.Switch)
            {
                return theme;
            }

            if (random.NextDouble() < model.Options.Related)
            {
                return model.RelatedThemes[theme][random.Next(2)];
            }
        }

        return Draw(model.Tastes[persona], ref random);
    }

    private static int NextItem(TasteModel model, int theme, int last, List<int> taken, int first, ref SplitMix64 random)
    {
        while (true)
        {
            int item = DrawItem(model, theme, last, ref random);
            if (taken.IndexOf(item, first) < 0)
            {
                return item;
            }
        }
    }

    private static int DrawItem(TasteModel model, int theme, int last, ref SplitMix64 random)
    {
        if (random.NextDouble() < model.Options.Noise)
        {
            return random.Next(model.ItemCount);
        }

        if (last >= 0 && model.Successors[last].Length > 0 && random.NextDouble() < model.Options.Succession)
        {
            return Draw(model.Successors[last], ref random);
        }

        int[] members = model.Themes[theme];
        return members[random.Pick(members.Length, at => model.Popularity[members[at]])];
    }

    private static int Draw((int Value, double Probability)[] table, ref SplitMix64 random) =>
        table[random.Pick(table.Length, at => table[at].Probability)].Value;
}
