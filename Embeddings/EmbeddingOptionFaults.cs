using Recsys.Catalog;

namespace Recsys.Embeddings;

internal static class EmbeddingOptionFaults
{
    /// <summary>Throws one error that lists every fault; nothing when there is none.</summary>
    public static void Throw(IEnumerable<string> faults)
    {
        string all = string.Join("; ", faults);
        if (all.Length > 0)
        {
            throw CatalogException.Invalid($"Embedding options out of range: {all}.");
        }
    }
}
