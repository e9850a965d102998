using Recsys.Catalog;

namespace Recsys.Embeddings.Collaborative;

/// <param name="Dim">Values per vector, 1 to 1,024; fewer when the catalogue has fewer items.</param>
/// <param name="Window">Two items count together when at most this many steps apart in a user's sequence, 1 to 1,000.</param>
/// <param name="SingularPower">Vectors are U·Sᵖ, 0 to 1.</param>
/// <param name="PowerIterations">Of the randomised factorisation, 0 to 20.</param>
public sealed record CollaborativeEmbeddingOptions(int Dim = 64, int Window = 5, double SingularPower = 0.5, int PowerIterations = 4)
{
    internal void Check(Faults faults)
    {
        faults.Range("embeddings.collaborative.dim", Dim, 1, 1024);
        faults.Range("embeddings.collaborative.window", Window, 1, 1000);
        faults.Range("embeddings.collaborative.singular_power", SingularPower, 0, 1);
        faults.Range("embeddings.collaborative.power_iterations", PowerIterations, 0, 20);
    }
}
