using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Embeddings.Text;
using Recsys.Jobs.Quantizers;

namespace Recsys.Jobs.Tests;

public sealed class FeaturesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys").FullName;

    private static readonly EmbeddingMatrix Brought = new("own", 2, [3, 1, 0, 1, -1, 0, 0, -1], [true, true, true, true]);

    private static readonly string[] Titles = ["Nivea day cream", "Nivea night cream", "Rimmel lip stick", "Rimmel lip gloss"];

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void Words_stand_beside_the_embeddings_and_join_items_of_a_brand()
    {
        using var dataset = Given(Titles);
        var features = DatasetVectors.Features(dataset, [Brought], new(), default);
        Assert.Equal(["own", DatasetVectors.Words], features.Select(part => part.Name));
        Assert.All(features, part => Assert.Equal(1, part.Data.Sum(value => (double)value * value) / 4, 5));
        Assert.All(features, part => Assert.All(
            Enumerable.Range(0, part.Dim),
            at => Assert.Equal(0, Enumerable.Range(0, 4).Sum(item => part.Row(item)[at]), 5)));
        double Near(int a, int b) => features[1].Row(a).ToArray().Zip(features[1].Row(b).ToArray(), (x, y) => x * y).Sum();
        Assert.True(Near(0, 1) > 0 && Near(2, 3) > 0 && Near(0, 2) < 0 && Near(1, 3) < 0);
    }

    [Fact]
    public void Words_that_an_owner_brings_are_taken()
    {
        using var spoken = Given(Titles);
        var own = new EmbeddingMatrix(DatasetVectors.Words, 2, Brought.Data, Brought.Present);
        Assert.Equal(2, Assert.Single(DatasetVectors.Features(spoken, [own], new(), default)).Dim);
    }

    [Fact]
    public void Without_text_without_the_option_or_with_tfidf_as_the_text_embedding_there_are_the_embeddings_alone()
    {
        using var silent = Given(["", "", "", ""]);
        using var spoken = Given(Titles);
        Assert.Equal("own", Assert.Single(DatasetVectors.Features(silent, [Brought], new(), default)).Name);
        foreach (var text in new[] { new TextEmbeddingOptions { Words = false }, new TextEmbeddingOptions("tfidf") })
        {
            Assert.Equal("own", Assert.Single(DatasetVectors.Features(spoken, [Brought], new() { Text = text }, default)).Name);
        }
    }

    private Dataset Given(string[] titles)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;
        File.WriteAllText(Path.Combine(folder, "dataset.json"), """{ "name": "words", "format": 1 }""");
        File.WriteAllLines(
            Path.Combine(folder, "items.tsv"), titles.Select((title, item) => $"i{item}\t{title}").Prepend("item_id\ttitle"));
        return Dataset.Open(folder);
    }
}
