using Recsys.Catalog;

namespace Recsys.Embeddings.Text;

/// <param name="Encoder"><c>minilm</c>: all-MiniLM-L6-v2, 384 values; <c>tfidf</c>: TF-IDF and truncated SVD, fitted to
/// the catalogue.</param>
/// <param name="Model">An ONNX model of one's own instead; its <paramref name="Tokenizer"/> belongs to it.</param>
/// <param name="Tokenizer">tokenizer.json, vocab.txt, or a folder with one of them.</param>
/// <param name="MaxTokens">Longer texts are cut, 8 to 8,192; all-MiniLM-L6-v2 was made for 256.</param>
/// <param name="Dim">tfidf: values per vector, 1 to 1,024; fewer when the catalogue has fewer items or terms.</param>
/// <param name="MinDocumentFrequency">tfidf: a term that fewer items have is dropped, 1 upward.</param>
/// <param name="MaxTerms">tfidf: the most frequent terms that are kept.</param>
/// <param name="PowerIterations">tfidf: of the randomised factorisation, 0 to 20.</param>
/// <param name="Words">Beside a frozen encoder: retrieval models read TF-IDF too, for the names of brands and products.</param>
public sealed record TextEmbeddingOptions(
    string Encoder = "minilm", string? Model = null, string? Tokenizer = null, int MaxTokens = 256,
    int Dim = 128, int MinDocumentFrequency = 2, int MaxTerms = 200_000, int PowerIterations = 4,
    bool Words = true)
{
    /// <summary>Whether it is fitted to the catalogue: another one gives other vectors.</summary>
    public bool IsFitted => Model is null && Encoder == "tfidf";

    internal void Check(Faults faults)
    {
        faults.Check(Encoder is "minilm" or "tfidf", "embeddings.text.encoder", Encoder, "minilm or tfidf");
        faults.Check(
            Model is null == Tokenizer is null, "embeddings.text.model", Model, "together with embeddings.text.tokenizer, or neither");
        faults.Range("embeddings.text.max_tokens", MaxTokens, 8, 8192);
        faults.Range("embeddings.text.dim", Dim, 1, 1024);
        faults.Range("embeddings.text.min_document_frequency", MinDocumentFrequency, 1, int.MaxValue);
        faults.Range("embeddings.text.max_terms", MaxTerms, 1, 10_000_000);
        faults.Range("embeddings.text.power_iterations", PowerIterations, 0, 20);
    }
}
