using Recsys.Catalog;
using Recsys.Embeddings.Collaborative;
using Recsys.Embeddings.Images;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings;

/// <summary>What <see cref="DefaultEmbeddings"/> makes, and how.</summary>
public sealed record DefaultEmbeddingOptions
{
    /// <summary>Of the fitted ones. Not the rebuild's: runs with other seeds keep their spaces.</summary>
    public long Seed { get; init; } = 17;

    /// <summary>Folder of the cache; null: RECSYS_CACHE, else the user's cache folder.</summary>
    public string? Cache { get; init; }

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
