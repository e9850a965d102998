using Recsys.Catalog;
using Recsys.Embeddings.Factorisation;

namespace Recsys.Embeddings.Collaborative;

/// <summary>
/// Item vectors from what users take together: positive PMI within a window, then truncated SVD. Must be given
/// <see cref="LeaveOneOut.Train"/>: counts that have seen a held-out target make every later number worthless.
/// </summary>
public static class CollaborativeEmbedder
{
    public const string Name = "collaborative";

    /// <param name="train">The training part only.</param>
    /// <param name="items">Items of the catalogue.</param>
    /// <returns>One unit vector per item; an item without neighbours in the training part lacks one.</returns>
    /// <exception cref="CatalogException">An option, or an item index, is out of range.</exception>
    public static EmbeddingMatrix Embed(
        SequenceSet train, int items, CollaborativeEmbeddingOptions options, long seed, CancellationToken cancel = default)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        foreach (int item in train.Items)
        {
            if ((uint)item >= (uint)items)
            {
                throw CatalogException.Invalid(
                    $"A sequence holds item index {item}; the catalogue has {items} items, indexes 0 to {items - 1}.");
            }
        }

        var pmi = PositivePmi.Of(train, options.Window, items);
        if (pmi.Values.Length == 0)
        {
            return ItemVectors.None(Name, items, options.Dim);
        }

        var svd = TruncatedSvd.Of(pmi, options.Dim, seed, options.PowerIterations, cancel: cancel);
        return ItemVectors.Normalised(Name, svd, options.SingularPower, item => pmi.Offsets[item + 1] > pmi.Offsets[item]);
    }
}
