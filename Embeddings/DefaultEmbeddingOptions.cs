using Recsys.Catalog;
using Recsys.Embeddings.Collaborative;
using Recsys.Embeddings.Images;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings;

/// <summary>What <see cref="DefaultEmbeddings"/> makes, and how.</summary>
public sealed record DefaultEmbeddingOptions
{
    public long Seed { get; init; } = 1;

    /// <summary>Lets the collaborative counts see the held-out targets too: only for a version that is not evaluated any more.</summary>
    public bool FitAll { get; init; }

    public TextEmbeddingOptions Text { get; init; } = new();

    public CollaborativeEmbeddingOptions Collaborative { get; init; } = new();

    public ImageEmbeddingOptions Image { get; init; } = new();

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        Text.Check(faults);
        Collaborative.Check(faults);
        Image.Check(faults);
    }
}
