using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Encoding;
using Recsys.V1;

namespace Recsys.Quantizer.Service;

/// <summary>Embeddings of a request to codes.</summary>
internal static class EmbeddingEncoder
{
    /// <exception cref="CatalogException">FailedPrecondition: the version has no codebook.</exception>
    public static Codebook CodebookOf(ISnapshot snapshot) => snapshot.Find<Codebook>() ?? throw CatalogException.Precondition(
        $"Version '{snapshot.Version}' has no codebook, so it cannot encode. Rebuild, or activate a version that has one.");

    /// <returns>Fused: [items, dim]; Codes: [items, levels].</returns>
    /// <exception cref="CatalogException">
    /// InvalidArgument: an embedding is missing, unknown, of another size or of another space.
    /// </exception>
    public static (float[] Fused, ushort[] Codes) Encode(Codebook codebook, IReadOnlyList<ItemEmbedding> items, CancellationToken cancel)
    {
        var fused = new float[items.Count * codebook.Fusion.Dim];
        for (int i = 0; i < items.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            foreach (var (name, vector) in items[i].Embeddings)
            {
                codebook.Fusion.RequireSpace(items[i].ItemId, name, vector.Space);
            }

            var vectors = items[i].Embeddings.Select(e => KeyValuePair.Create(e.Key, new ReadOnlyMemory<float>([.. e.Value.Values])));
            codebook.Fusion.Fuse(items[i].ItemId, vectors).CopyTo(fused, i * codebook.Fusion.Dim);
        }

        return (fused, codebook.Encode(fused, items.Count));
    }
}
