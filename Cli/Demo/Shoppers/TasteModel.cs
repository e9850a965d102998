using Recsys.Catalog;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>
/// The stated taste model of the simulated sticker shoppers: a hidden Markov model over themes. A theme is a subcategory.
/// <list type="bullet">
/// <item>A shopper is of one of P personas, all equally likely. A persona has 1 to 3 favourite themes, drawn in proportion to their
/// sizes, with weights from a flat Dirichlet distribution: its taste.</item>
/// <item>The first theme is drawn from the taste. Before each further sticker the theme ends with probability <c>Switch</c>; then the
/// next one is, with probability <c>Related</c>, one of the two themes related to the old (even odds), else drawn from the taste.</item>
/// <item>In theme z the next sticker is: with probability <c>Noise</c> any sticker of the catalogue, evenly; else with probability
/// <c>Succession</c> a successor of the last sticker taken of theme z (each has up to three, from its neighbours in the catalogue's
/// order, with odds .60, .25, .15); else, and always where none of theme z was taken before, by popularity within z, which falls
/// with the rank r as 1 / (r + 3) (Zipf-Mandelbrot).</item>
/// <item>A shopper never takes a sticker twice: what was drawn before is drawn anew.</item>
/// </list>
/// All tables are fixed by the catalogue and the seed. What is hidden from an observer is the persona and the themes.
/// </summary>
public sealed class TasteModel
{
    private const int SuccessorReach = 6;

    private static readonly double[] SuccessorOdds = [0.60, 0.25, 0.15];

    /// <param name="items">Each with a field <c>subcategory</c>; their order matters.</param>
    /// <exception cref="CatalogException">An option out of its range, an item without a subcategory, or too few items.</exception>
    public TasteModel(IReadOnlyList<Item> items, StickerShopperOptions options)
    {
        options.Validate();
        if (items.Count <= options.MaxLength)
        {
            throw CatalogException.Invalid(
                $"A catalogue of {items.Count} items is too small for shoppers who take up to {options.MaxLength} different ones.");
        }

        Options = options;
        string[] theme = [.. items.Select(item => item.Fields.GetValueOrDefault("subcategory") is { Length: > 0 } name
            ? name
            : throw CatalogException.Invalid(
                $"Item '{item.Id}' has no field 'subcategory'; the taste model needs one for every item."))];
        Themes = [.. Enumerable.Range(0, items.Count).GroupBy(item => theme[item]).Select(members => members.ToArray())];
        ThemeOf = new int[items.Count];
        foreach (var (number, members) in Themes.Index())
        {
            Array.ForEach(members, item => ThemeOf[item] = number);
        }

        var random = SplitMix64.Stream(options.Seed, ulong.MaxValue);
        Popularity = DrawPopularity(items.Count, ref random);
        Successors = DrawSuccessors(items.Count, ref random);
        RelatedThemes = DrawRelated(items, ref random);
        Tastes = DrawTastes(ref random);
    }

    public StickerShopperOptions Options { get; }

    public int ItemCount => ThemeOf.Length;

    /// <summary>[themes][members] item indexes.</summary>
    public int[][] Themes { get; }

    /// <summary>[items]</summary>
    public int[] ThemeOf { get; }

    /// <summary>[items] probability within the item's own theme; sums to 1 over each theme.</summary>
    public double[] Popularity { get; }

    /// <summary>[items][0 to 3] with probabilities that sum to 1; empty where the theme has one item only.</summary>
    public (int Item, double Probability)[][] Successors { get; }

    /// <summary>[themes][2]; may name the same theme twice in a very small catalogue.</summary>
    public int[][] RelatedThemes { get; }

    /// <summary>[personas][1 to 3] favourite themes and their weights, which sum to 1.</summary>
    public (int Theme, double Weight)[][] Tastes { get; }

    /// <summary>Probability that the sticker after <paramref name="last"/> of its own theme is <paramref name="item"/>, noise and repeats
    /// aside.</summary>
    /// <param name="last">The last sticker taken of the item's theme; −1 without one.</param>
    internal double WithinTheme(int item, int last)
    {
        var successors = last < 0 ? [] : Successors[last];
        if (successors.Length == 0)
        {
            return Popularity[item];
        }

        double succession = 0;
        foreach (var (next, probability) in successors)
        {
            succession += next == item ? probability : 0;
        }

        return (Options.Succession * succession) + ((1 - Options.Succession) * Popularity[item]);
    }

    private double[] DrawPopularity(int count, ref SplitMix64 random)
    {
        var popularity = new double[count];
        foreach (int[] members in Themes)
        {
            var ranking = (int[])members.Clone();
            random.Shuffle(ranking);
            double total = 0;
            for (int rank = 0; rank < ranking.Length; rank++)
            {
                total += popularity[ranking[rank]] = 1.0 / (rank + 3);
            }

            foreach (int item in members)
            {
                popularity[item] /= total;
            }
        }

        return popularity;
    }

    private (int, double)[][] DrawSuccessors(int count, ref SplitMix64 random)
    {
        var successors = new (int, double)[count][];
        foreach (int[] members in Themes)
        {
            for (int at = 0; at < members.Length; at++)
            {
                int first = Math.Max(0, at - SuccessorReach), end = Math.Min(members.Length, at + SuccessorReach + 1);
                var near = Enumerable.Range(first, end - first).Where(other => other != at).Select(other => members[other]).ToArray();
                random.Shuffle(near);
                int kept = Math.Min(SuccessorOdds.Length, near.Length);
                double total = SuccessorOdds.Take(kept).Sum();
                successors[members[at]] = [.. near.Take(kept).Select((item, rank) => (item, SuccessorOdds[rank] / total))];
            }
        }

        return successors;
    }

    // One related theme from the same category where it has another, one from anywhere; larger themes more often.
    private int[][] DrawRelated(IReadOnlyList<Item> items, ref SplitMix64 random)
    {
        var category = Themes.Select(members => items[members[0]].Fields.GetValueOrDefault("category", "")).ToArray();
        var related = new int[Themes.Length][];
        for (int theme = 0; theme < related.Length; theme++)
        {
            var anywhere = Themes.Select((members, other) => other == theme && Themes.Length > 1 ? 0.0 : members.Length).ToArray();
            var near = anywhere.Select((weight, other) => category[other] == category[theme] ? weight : 0).ToArray();
            if (near.Sum() <= 0)
            {
                near = anywhere;
            }

            related[theme] = [random.Pick(near.Length, other => near[other]), random.Pick(anywhere.Length, other => anywhere[other])];
        }

        return related;
    }

    private (int, double)[][] DrawTastes(ref SplitMix64 random)
    {
        var tastes = new (int, double)[Options.Personas][];
        for (int persona = 0; persona < tastes.Length; persona++)
        {
            int favourites = Math.Min(1 + random.Next(3), Themes.Length);
            var weights = Themes.Select(members => (double)members.Length).ToArray();
            var cuts = new double[favourites + 1];
            cuts[favourites] = 1;
            for (int cut = 1; cut < favourites; cut++)
            {
                cuts[cut] = random.NextDouble();
            }

            Array.Sort(cuts); // spacings of uniform cuts are Dirichlet(1, …, 1)
            tastes[persona] = new (int, double)[favourites];
            for (int favourite = 0; favourite < favourites; favourite++)
            {
                int theme = random.Pick(weights.Length, other => weights[other]);
                weights[theme] = 0;
                tastes[persona][favourite] = (theme, cuts[favourite + 1] - cuts[favourite]);
            }
        }

        return tastes;
    }
}
