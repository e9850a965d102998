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

    /// <summary>What is out of range, each with value and limits.</summary>
    public IEnumerable<string> Faults() => EmbeddingOptionFaults.OutOfRange(
            ("image.dim", Dim, 1, 1024), ("image.side", Side, 4, 128), ("image.sample", Sample, 2, 100_000),
            ("image.powerIterations", PowerIterations, 0, 20))
        .Concat(EmbeddingOptionFaults.NoneOf("image.encoder", Encoder, "resnet18", "pca"));
}
