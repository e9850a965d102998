using Recsys.Datasets;

namespace Recsys.Cli.Tests.Demo.Shoppers;

public sealed class SampleFolderTests
{
    [Fact]
    public void The_bundled_catalogue_has_a_thousand_pictures_or_more_in_at_most_5_MB()
    {
        using var dataset = Dataset.Open(Stickers.Folder);

        Assert.True(dataset.ItemCount >= 1000);
        Assert.All(
            Enumerable.Range(0, dataset.ItemCount),
            item => Assert.True(dataset.Images!.Read(item)!.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47])));
        long bytes = new DirectoryInfo(Path.Combine(Stickers.Folder, ".."))
            .EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        Assert.InRange(bytes, 1, 5_000_000);
    }

    [Fact]
    public void Ids_titles_and_pictures_are_there_and_unique()
    {
        using var dataset = Dataset.Open(Stickers.Folder);
        var items = dataset.Items;

        Assert.Equal(items.Count, items.Select(item => item.Id).Distinct().Count());
        Assert.Equal(items.Count, items.Select(item => item.Title).Distinct().Count());
        Assert.Equal(items.Count, items.Select(item => item.Image).Distinct().Count());
        Assert.Equal(
            items.Count,
            Enumerable.Range(0, items.Count).Select(item => Convert.ToBase64String(dataset.Images!.Read(item)!)).Distinct().Count());
        Assert.All(items, item =>
        {
            Assert.NotEmpty(item.Title);
            Assert.All(["category", "subcategory", "keywords"], field => Assert.NotEmpty(item.Fields[field]));
        });
    }

    [Fact]
    public void Licence_and_attribution_lie_beside_the_pictures()
    {
        string licence = File.ReadAllText(Path.Combine(Stickers.Folder, "LICENSE"));
        string readme = File.ReadAllText(Path.Combine(Stickers.Folder, "README.md"));

        Assert.Contains("Apache License", licence, StringComparison.Ordinal);
        Assert.Contains("Copyright (c) 2013 Cal Henderson", licence, StringComparison.Ordinal);
        Assert.Contains("emoji-datasource-google", readme, StringComparison.Ordinal);
    }

    [Fact]
    public void The_figures_in_its_readme_are_those_of_the_simulation()
    {
        string readme = File.ReadAllText(Path.Combine(Stickers.Folder, "README.md"));
        var score = Stickers.Score;

        Assert.Contains(
            FormattableString.Invariant($"{Stickers.Shopping.Sequences.Items.Length:N0} interactions"), readme, StringComparison.Ordinal);
        string cells = FormattableString.Invariant($"| **{score["recall@5"]:.000}** | **{score["recall@10"]:.000}** |");
        Assert.Contains(cells, readme, StringComparison.Ordinal);
        foreach (double[] recall in Baselines.All)
        {
            Assert.Contains(FormattableString.Invariant($"| {recall[0]:.000} | {recall[1]:.000} |"), readme, StringComparison.Ordinal);
        }
    }
}
