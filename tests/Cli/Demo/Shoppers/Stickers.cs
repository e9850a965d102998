using Recsys.Catalog;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Datasets;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Tests.Demo.Shoppers;

/// <summary>The bundled catalogue, and the default simulation over it, made once for all tests.</summary>
internal static class Stickers
{
    private static readonly Lazy<IReadOnlyList<Item>> LazyItems = new(() =>
    {
        using var dataset = Dataset.Open(Folder);
        return dataset.Items;
    });

    private static readonly Lazy<SimulatedShopping> LazyShopping = new(() => StickerShoppers.Simulate(Items));
    private static readonly Lazy<MetricRow> LazyScore = new(
        () => new OptimalRecommender(Shopping.Model).Score(new LeaveOneOut(Shopping.Sequences), 1, 5, 10));

    public static string Folder => Path.Combine(Root(), "samples", "stickers");

    public static IReadOnlyList<Item> Items => LazyItems.Value;

    public static SimulatedShopping Shopping => LazyShopping.Value;

    /// <summary>Of the optimal recommender at 1, 5 and 10.</summary>
    public static MetricRow Score => LazyScore.Value;

    /// <summary>Items a, b, c… with these subcategories.</summary>
    public static IReadOnlyList<Item> Small(params string[] subcategories) =>
    [
        .. subcategories.Select((theme, at) => new Item(
            $"item-{at}", "", new Dictionary<string, string> { ["category"] = "all", ["subcategory"] = theme }, null)),
    ];

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Recsys.sln")))
        {
            at = at.Parent ?? throw new DirectoryNotFoundException("Recsys.sln is in no parent folder of the tests.");
        }

        return at.FullName;
    }
}
