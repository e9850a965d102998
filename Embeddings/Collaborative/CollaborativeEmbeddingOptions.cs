namespace Recsys.Embeddings.Collaborative;

/// <param name="Dim">Values per vector, 1 to 1,024; fewer when the catalogue has fewer items.</param>
/// <param name="Window">Two items count together when at most this many steps apart in a user's sequence, 1 to 1,000.</param>
/// <param name="SingularPower">Vectors are U·Sᵖ, 0 to 1.</param>
/// <param name="PowerIterations">Of the randomised factorisation, 0 to 20.</param>
public sealed record CollaborativeEmbeddingOptions(int Dim = 64, int Window = 5, double SingularPower = 0.5, int PowerIterations = 4)
{
    /// <summary>What is out of range, each with value and limits.</summary>
    public IEnumerable<string> Faults() => EmbeddingOptionFaults.OutOfRange(
        ("collaborative.dim", Dim, 1, 1024), ("collaborative.window", Window, 1, 1000),
        ("collaborative.singularPower", SingularPower, 0, 1), ("collaborative.powerIterations", PowerIterations, 0, 20));
}
