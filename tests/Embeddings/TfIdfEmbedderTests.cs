using Recsys.Catalog;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings.Tests;

public class TfIdfEmbedderTests
{
    private static readonly Item[] Items =
    [
        Make("red nail polish", "makeup"), Make("blue nail polish", "makeup"), Make("dog food", "pets"), Make("cat food", "pets"),
        Make("???", ""), Make("unheard", ""),
    ];

    [Fact]
    public void Items_that_share_words_are_near_and_others_far()
    {
        var text = TfIdfEmbedder.Embed(Items, new TextEmbeddingOptions(Dim: 2), 1);
        Assert.True(Cosine(text, 0, 1) > 0.99);
        Assert.True(Math.Abs(Cosine(text, 0, 2)) < 0.01);
    }

    [Fact]
    public void Rows_have_unit_length_and_items_without_known_words_have_none()
    {
        var text = TfIdfEmbedder.Embed(Items, new TextEmbeddingOptions(), 1);
        Assert.Equal([true, true, true, true, false, false], text.Present);
        Assert.Equal(1, Cosine(text, 2, 2), 5);
        Assert.All(text.Row(4).ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void No_words_at_all_gives_an_embedding_that_no_item_has()
        => Assert.DoesNotContain(true, TfIdfEmbedder.Embed([Make("", "")], new TextEmbeddingOptions(), 1).Present);

    [Fact]
    public void Every_fault_of_the_options_is_named_at_once()
    {
        var error = Assert.Throws<CatalogException>(
            () => TfIdfEmbedder.Embed(Items, new TextEmbeddingOptions(Dim: 0, MinDocumentFrequency: 0), 1));
        Assert.Contains("text.dim is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("text.min_document_frequency is 0", error.Message, StringComparison.Ordinal);
    }

    internal static double Cosine(EmbeddingMatrix matrix, int a, int b)
    {
        double sum = 0;
        for (int i = 0; i < matrix.Dim; i++)
        {
            sum += matrix.Row(a)[i] * matrix.Row(b)[i];
        }

        return sum;
    }

    private static Item Make(string title, string category) =>
        new(title, title, new Dictionary<string, string> { ["category"] = category }, null);
}
