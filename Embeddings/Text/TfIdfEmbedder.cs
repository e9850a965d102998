using System.Text;
using Recsys.Catalog;

namespace Recsys.Embeddings.Text;

/// <summary>Latent semantic analysis of titles and text fields: TF-IDF, then truncated SVD (Deerwester et al. 1990).</summary>
public static class TfIdfEmbedder
{
    /// <returns>One unit vector per item; an item of whose words none is left lacks one. The space names the fit: each other catalogue
    /// gives another.</returns>
    /// <exception cref="CatalogException">An option is out of range.</exception>
    public static EmbeddingMatrix Embed(
        IReadOnlyList<Item> items, TextEmbeddingOptions options, long seed, CancellationToken cancel = default)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        var documents = items.AsParallel().AsOrdered().WithCancellation(cancel).Select(Words).ToArray();
        string space = SpaceName.Fitted(
            "TF-IDF", (options, seed), Encoding.UTF8.GetBytes(string.Join('\n', documents.Select(words => string.Join(' ', words)))));
        return TfIdf.Of(documents, options.MinDocumentFrequency, options.MaxTerms).Weights
            .ItemVectors(TextEncoder.Name, space, options.Dim, power: 1, options.PowerIterations, seed, cancel);
    }

    private static string[] Words(Item item) => [.. ItemText.Parts(item).SelectMany(WordSplitter.Words)];
}
