using Recsys.Catalog;
using Recsys.Embeddings.Factorisation;

namespace Recsys.Embeddings.Text;

/// <summary>Latent semantic analysis of titles and text fields: TF-IDF, then truncated SVD (Deerwester et al. 1990).</summary>
public static class TextEmbedder
{
    public const string Name = "text";

    /// <returns>One unit vector per item; an item of whose words none is left lacks one.</returns>
    /// <exception cref="CatalogException">An option is out of range.</exception>
    public static EmbeddingMatrix Embed(
        IReadOnlyList<Item> items, TextEmbeddingOptions options, long seed, CancellationToken cancel = default)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        var documents = items.AsParallel().AsOrdered().WithCancellation(cancel).Select(Words).ToArray();
        var tfIdf = TfIdf.Of(documents, options.MinDocumentFrequency, options.MaxTerms);
        if (tfIdf.Terms.Length == 0)
        {
            return ItemVectors.None(Name, items.Count, options.Dim);
        }

        var weights = tfIdf.Weights;
        var svd = TruncatedSvd.Of(weights, options.Dim, seed, options.PowerIterations, cancel: cancel);
        return ItemVectors.Normalised(Name, svd, power: 1, item => weights.Offsets[item + 1] > weights.Offsets[item]);
    }

    private static string[] Words(Item item)
        =>
            [.. Tokeniser.Words(item.Title), .. item.Fields.OrderBy(f => f.Key, StringComparer.Ordinal).SelectMany(f => Tokeniser.Words(f.Value))];
}
