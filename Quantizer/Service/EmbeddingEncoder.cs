using System.Buffers;
using Google.Protobuf;
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

    /// <exception cref="CatalogException">
    /// InvalidArgument: an embedding is missing, unknown, of another size or of another space.
    /// </exception>
    public static EncodedItems Encode(Codebook codebook, IReadOnlyList<ItemEmbedding> items, CancellationToken cancel)
    {
        var encoded = new EncodedItems(items.Count, codebook.Fusion.Dim);
        try
        {
            for (int i = 0; i < items.Count; i++)
            {
                cancel.ThrowIfCancellationRequested();
                double squared = 0;
                foreach (var (name, vector) in items[i].Embeddings)
                {
                    codebook.Fusion.RequireSpace(items[i].ItemId, name, vector.Space);
                    squared += codebook.Fusion.Add(
                        items[i].ItemId, name, UnsafeCollectionOperations.AsSpan(vector.Values), encoded.Row(i));
                }

                codebook.Fusion.Complete(items[i].ItemId, squared, encoded.Row(i));
            }

            encoded.Codes = codebook.Encode(encoded.Fused, items.Count);
            return encoded;
        }
        catch
        {
            encoded.Dispose();
            throw;
        }
    }
}

/// <summary>What one request brought: as large as that, and so its memory is used again.</summary>
internal sealed class EncodedItems : IDisposable
{
    private readonly float[] _fused;
    private readonly int _count, _dim;

    public EncodedItems(int count, int dim)
    {
        (_count, _dim, _fused) = (count, dim, ArrayPool<float>.Shared.Rent(count * dim));
        Fused.Clear();
    }

    /// <summary>[items × dim]</summary>
    public Span<float> Fused => _fused.AsSpan(0, _count * _dim);

    /// <summary>[items × levels]</summary>
    public ushort[] Codes { get; set; } = [];

    public Span<float> Row(int item) => _fused.AsSpan(item * _dim, _dim);

    public void Dispose() => ArrayPool<float>.Shared.Return(_fused);
}
