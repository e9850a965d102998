using System.Runtime.InteropServices;
using Recsys.Catalog;

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
    /// <returns>One unit vector per item; an item without neighbours in the training part lacks one. Its space names the training
    /// part: items that are not in it may come and go.</returns>
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

        return PositivePmi.Of(train, options.Window, items).ItemVectors(
            Name, Space(train, options, seed), options.Dim, options.SingularPower, options.PowerIterations, seed, cancel);
    }

    private static string Space(SequenceSet train, CollaborativeEmbeddingOptions options, long seed)
    {
        var ranks = train.Items.Distinct().Order().Select((item, rank) => (item, rank)).ToDictionary(pair => pair.item, pair => pair.rank);
        int[] sequence = Array.ConvertAll(train.Items, item => ranks[item]);
        return SpaceName.Fitted(
            "PPMI-SVD", (options, seed), MemoryMarshal.AsBytes<int>(train.Offsets), MemoryMarshal.AsBytes<int>(sequence));
    }
}
