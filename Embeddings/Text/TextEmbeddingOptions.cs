namespace Recsys.Embeddings.Text;

/// <param name="Dim">Values per vector, 1 to 1,024; fewer when the catalogue has fewer items or terms.</param>
/// <param name="MinDocumentFrequency">A term that fewer items have is dropped, 1 upward.</param>
/// <param name="MaxTerms">The most frequent terms that are kept.</param>
/// <param name="PowerIterations">Of the randomised factorisation, 0 to 20.</param>
public sealed record TextEmbeddingOptions(int Dim = 128, int MinDocumentFrequency = 2, int MaxTerms = 200_000, int PowerIterations = 4)
{
    /// <summary>What is out of range, each with value and limits.</summary>
    public IEnumerable<string> Faults() => new (string Name, int Value, int Least, int Most)[]
        {
            ("text.dim", Dim, 1, 1024),
            ("text.minDocumentFrequency", MinDocumentFrequency, 1, int.MaxValue),
            ("text.maxTerms", MaxTerms, 1, 10_000_000),
            ("text.powerIterations", PowerIterations, 0, 20),
        }
        .Where(o => o.Value < o.Least || o.Value > o.Most)
        .Select(o => $"{o.Name} is {o.Value}; allowed: {o.Least} to {o.Most}");
}
