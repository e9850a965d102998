using Recsys.Catalog;

namespace Recsys.Embeddings.Text;

/// <param name="Dim">Values per vector, 1 to 1,024; fewer when the catalogue has fewer items or terms.</param>
/// <param name="MinDocumentFrequency">A term that fewer items have is dropped, 1 upward.</param>
/// <param name="MaxTerms">The most frequent terms that are kept.</param>
/// <param name="PowerIterations">Of the randomised factorisation, 0 to 20.</param>
public sealed record TextEmbeddingOptions(int Dim = 128, int MinDocumentFrequency = 2, int MaxTerms = 200_000, int PowerIterations = 4)
{
    internal void Check(Faults faults)
    {
        faults.Range("embeddings.text.dim", Dim, 1, 1024);
        faults.Range("embeddings.text.min_document_frequency", MinDocumentFrequency, 1, int.MaxValue);
        faults.Range("embeddings.text.max_terms", MaxTerms, 1, 10_000_000);
        faults.Range("embeddings.text.power_iterations", PowerIterations, 0, 20);
    }
}
