using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Embeddings.Text;
using Recsys.Quantizer.Encoding;

namespace Recsys.Jobs.Quantizers;

/// <summary>A dataset's embeddings as quantizers read them.</summary>
public static class DatasetVectors
{
    /// <summary>The name of the words among the features.</summary>
    public const string Words = "words";

    /// <summary>Brought embeddings as they are, default ones where the dataset lacks them.</summary>
    /// <param name="everything">What the collaborative one learns from; null: the training part.</param>
    /// <exception cref="CatalogException">FailedPrecondition: there are none.</exception>
    public static IReadOnlyList<DatasetEmbedding> Embed(
        Dataset dataset, DefaultEmbeddingOptions options, IProgress<StageProgress>? progress, CancellationToken cancel,
        SequenceSet? everything = null)
    {
        var embeddings = DefaultEmbeddings.Of(dataset, options, progress, cancel, everything);
        return embeddings.Any(embedding => embedding.Vectors is not null) ? embeddings : throw CatalogException.Precondition(
            $"Dataset '{dataset.Name}' has no embeddings and nothing to make default ones from (no text, no interactions, no pictures). "
            + "Bring embeddings/NAME.npy.");
    }

    /// <summary>Those that are there.</summary>
    public static EmbeddingMatrix[] Vectors(IEnumerable<DatasetEmbedding> embeddings) =>
        [.. embeddings.Select(embedding => embedding.Vectors).OfType<EmbeddingMatrix>()];

    /// <summary>
    /// What retrieval models read of the items: the embeddings and, where a frozen encoder made those of text, the words themselves
    /// (<see cref="Words"/>). Codes stand for the embeddings alone, since a new item has no fitted ones.
    /// </summary>
    /// <returns>Each centred and of the mean squared length 1.</returns>
    public static IReadOnlyList<EmbeddingMatrix> Features(
        Dataset dataset, IReadOnlyList<EmbeddingMatrix> embeddings, DefaultEmbeddingOptions options, CancellationToken cancel)
    {
        var words = options.Text.Words && !options.Text.IsFitted && embeddings.All(embedding => embedding.Name != Words)
            ? TfIdfEmbedder.Embed(dataset.Items, options.Text, options.Seed, cancel)
            : null;
        return [.. embeddings.Select(Placed), .. words?.Present.Contains(true) == true ? [Placed(words)] : Array.Empty<EmbeddingMatrix>()];

        EmbeddingMatrix Placed(EmbeddingMatrix embedding)
        {
            var fused = Fusion.Fit([embedding], new FusionOptions()).Apply([embedding]);
            var part = fused.Fusion.Parts.Single();
            return new EmbeddingMatrix(embedding == words ? Words : embedding.Name, fused.Dim, fused.Data, fused.Present)
            {
                Space = part.Space,
                Place = embedding == words ? null : new EmbeddingPlace(part.KeepLength, part.Mean, (float)(part.Scale * part.Weight)),
            };
        }
    }

    /// <summary>Fuses embeddings as a codebook does that was trained before.</summary>
    /// <exception cref="CatalogException">FailedPrecondition: they are not those that the codebook was trained on.</exception>
    public static FusedEmbeddings Apply(Fusion fusion, Dataset dataset, EmbeddingMatrix[] embeddings)
    {
        foreach (var embedding in embeddings)
        {
            var part = fusion.Parts.FirstOrDefault(part => part.Name == embedding.Name);
            if (part is null || part.Dim != embedding.Dim || part.Space != embedding.Space)
            {
                throw CatalogException.Precondition(
                    $"Dataset '{dataset.Name}': its embedding '{embedding.Name}' has {embedding.Dim} values of the space "
                    + $"'{embedding.Space ?? "of its owner"}'; the codebook was trained on "
                    + $"{(part is null ? "none of that name" : $"{part.Dim} of '{part.Space ?? "of its owner"}'")}. Give the data and the "
                    + "encoders that the version was built with.");
            }
        }

        return fusion.Apply(embeddings);
    }
}
