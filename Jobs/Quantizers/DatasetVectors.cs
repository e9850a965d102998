using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Embeddings.Text;
using Recsys.Quantizer.Encoding;

namespace Recsys.Jobs.Quantizers;

/// <summary>A dataset's embeddings as quantizers read them.</summary>
public static class DatasetVectors
{
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
    /// What retrieval models read of the items: the fused vectors and, where a frozen encoder made those of text, the words themselves.
    /// Codes stand for the fused vectors alone, since a new item has no fitted ones.
    /// </summary>
    public static EmbeddingMatrix Features(
        Dataset dataset, FusedEmbeddings fused, DefaultEmbeddingOptions options, CancellationToken cancel)
    {
        var words = options.Text.Words && !options.Text.IsFitted
            ? TfIdfEmbedder.Embed(dataset.Items, options.Text, options.Seed, cancel)
            : null;
        if (words?.Present.Contains(true) != true)
        {
            return new EmbeddingMatrix("features", fused.Dim, fused.Data, fused.Present);
        }

        var placed = Fusion.Fit([words], new FusionOptions()).Apply([words]);
        int dim = fused.Dim + placed.Dim;
        var (data, present) = (new float[(long)fused.Count * dim], new bool[fused.Count]);
        for (int item = 0; item < fused.Count; item++)
        {
            var row = data.AsSpan(item * dim, dim);
            fused.Data.AsSpan(item * fused.Dim, fused.Dim).CopyTo(row);
            placed.Data.AsSpan(item * placed.Dim, placed.Dim).CopyTo(row[fused.Dim..]);
            present[item] = fused.Present[item] || placed.Present[item];
        }

        return new EmbeddingMatrix("features", dim, data, present);
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
