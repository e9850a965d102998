using Recsys.Catalog;

namespace Recsys.Embeddings.Images;

/// <param name="Encoder"><c>resnet18</c>: 512 values of a network trained on ImageNet; <c>pca</c>: principal components of pixels,
/// fitted to the catalogue.</param>
/// <param name="Model">An ONNX model of one's own instead.</param>
/// <param name="Dim">pca: principal components, 1 to 1,024; fewer when there are fewer pictures.</param>
/// <param name="Side">pca: pictures are padded to a square on white and scaled to this side, 4 to 128.</param>
/// <param name="Sample">pca: pictures that the components are learned from, 2 to 100,000; all are projected.</param>
/// <param name="PowerIterations">pca: of the randomised factorisation, 0 to 20.</param>
public sealed record ImageEmbeddingOptions(
    string Encoder = "resnet18", string? Model = null, int Dim = 64, int Side = 32, int Sample = 4096, int PowerIterations = 2)
{
    internal bool IsFitted => Model is null && Encoder == "pca";

    internal void Check(Faults faults)
    {
        faults.Check(Encoder is "resnet18" or "pca", "embeddings.image.encoder", Encoder, "resnet18 or pca");
        faults.Range("embeddings.image.dim", Dim, 1, 1024);
        faults.Range("embeddings.image.side", Side, 4, 128);
        faults.Range("embeddings.image.sample", Sample, 2, 100_000);
        faults.Range("embeddings.image.power_iterations", PowerIterations, 0, 20);
    }
}
