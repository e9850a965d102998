using Recsys.Catalog;

namespace Recsys.Embeddings.Images;

/// <param name="Dim">Principal components, 1 to 1,024; fewer when there are fewer pictures.</param>
/// <param name="Side">Pictures are padded to a square on white and scaled to this side, 4 to 128.</param>
/// <param name="Sample">Pictures that the components are learned from, 2 to 100,000; all are projected.</param>
/// <param name="PowerIterations">Of the randomised factorisation, 0 to 20.</param>
public sealed record ImageEmbeddingOptions(int Dim = 64, int Side = 32, int Sample = 4096, int PowerIterations = 2)
{
    internal void Check(Faults faults)
    {
        faults.Range("embeddings.image.dim", Dim, 1, 1024);
        faults.Range("embeddings.image.side", Side, 4, 128);
        faults.Range("embeddings.image.sample", Sample, 2, 100_000);
        faults.Range("embeddings.image.power_iterations", PowerIterations, 0, 20);
    }
}
