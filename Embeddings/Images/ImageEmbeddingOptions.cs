namespace Recsys.Embeddings.Images;

/// <param name="Dim">Principal components, 1 to 1,024; fewer when there are fewer pictures.</param>
/// <param name="Side">Pictures are padded to a square on white and scaled to this side, 4 to 128.</param>
/// <param name="Sample">Pictures that the components are learned from, 2 to 100,000; all are projected.</param>
/// <param name="PowerIterations">Of the randomised factorisation, 0 to 20.</param>
public sealed record ImageEmbeddingOptions(int Dim = 64, int Side = 32, int Sample = 4096, int PowerIterations = 2)
{
    /// <summary>What is out of range, each with value and limits.</summary>
    public IEnumerable<string> Faults() => new (string Name, int Value, int Least, int Most)[]
        {
            ("image.dim", Dim, 1, 1024),
            ("image.side", Side, 4, 128),
            ("image.sample", Sample, 2, 100_000),
            ("image.powerIterations", PowerIterations, 0, 20),
        }
        .Where(o => o.Value < o.Least || o.Value > o.Most)
        .Select(o => $"{o.Name} is {o.Value}; allowed: {o.Least} to {o.Most}");
}
