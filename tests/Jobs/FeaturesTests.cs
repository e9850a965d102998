using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Embeddings.Text;
using Recsys.Jobs.Quantizers;
using Recsys.Quantizer.Encoding;

namespace Recsys.Jobs.Tests;

public sealed class FeaturesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys").FullName;

    private static readonly string[] Titles = ["Nivea day cream", "Nivea night cream", "Rimmel lip stick", "Rimmel lip gloss"];

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void Words_stand_behind_the_fused_vectors_and_join_items_of_a_brand()
    {
        var (dataset, fused) = Given(Titles);
        using (dataset)
        {
            var features = DatasetVectors.Features(dataset, fused, new(), default);
            Assert.Equal(fused.Dim, features.Dim - 4); // four items span no more
            for (int item = 0; item < 4; item++)
            {
                Assert.Equal(fused.Data.AsSpan(item * fused.Dim, fused.Dim), features.Row(item)[..fused.Dim]);
            }

            double Near(int a, int b) =>
                features.Row(a)[fused.Dim..].ToArray().Zip(features.Row(b)[fused.Dim..].ToArray(), (x, y) => x * y).Sum();
            Assert.True(Near(0, 1) > 0 && Near(2, 3) > 0 && Near(0, 2) < 0 && Near(1, 3) < 0);
        }
    }

    [Fact]
    public void Without_text_without_the_option_or_with_tfidf_as_the_text_embedding_they_are_the_fused_vectors()
    {
        var (silent, vectors) = Given(["", "", "", ""]);
        var (spoken, _) = Given(Titles);
        using (silent)
        using (spoken)
        {
            Assert.Equal(vectors.Data, DatasetVectors.Features(silent, vectors, new(), default).Data);
            foreach (var text in new[] { new TextEmbeddingOptions { Words = false }, new TextEmbeddingOptions("tfidf") })
            {
                Assert.Equal(vectors.Data, DatasetVectors.Features(spoken, vectors, new() { Text = text }, default).Data);
            }
        }
    }

    private (Dataset Dataset, FusedEmbeddings Fused) Given(string[] titles)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;
        File.WriteAllText(Path.Combine(folder, "dataset.json"), """{ "name": "words", "format": 1 }""");
        File.WriteAllLines(
            Path.Combine(folder, "items.tsv"), titles.Select((title, item) => $"i{item}\t{title}").Prepend("item_id\ttitle"));
        var brought = new EmbeddingMatrix("own", 2, [1, 0, 0, 1, -1, 0, 0, -1], [true, true, true, true]);
        return (Dataset.Open(folder), Fusion.Fit([brought], new()).Apply([brought]));
    }
}
