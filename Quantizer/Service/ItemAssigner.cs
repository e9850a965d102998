using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Encoding;
using Recsys.V1;

namespace Recsys.Quantizer.Service;

/// <summary>Gives new items their semantic IDs: in the store, and in the journal before anybody is told.</summary>
internal sealed class ItemAssigner(ISemanticIdStore store, IVersionStore versions)
{
    // Assignments in flight at once: they share one pipelined connection.
    private const int AssignedTogether = 256;

    /// <returns>[items]</returns>
    /// <exception cref="CatalogException">As <see cref="EmbeddingEncoder.Encode"/>, or a fault of the store; what it has given an ID by
    /// then is in the journal.</exception>
    public async Task<Assignment[]> AssignAsync(ISnapshot snapshot, IReadOnlyList<ItemEmbedding> items, CancellationToken cancel)
    {
        var codebook = EmbeddingEncoder.CodebookOf(snapshot);
        ushort[] codes;
        using (var encoded = EmbeddingEncoder.Encode(codebook, items, cancel))
        {
            codes = encoded.Codes;
        }

        var vectors = VectorsOf(snapshot, items);
        var assigned = new Assignment?[items.Count];
        try
        {
            foreach (int[] batch in Enumerable.Range(0, assigned.Length).Chunk(AssignedTogether))
            {
                await Task.WhenAll(batch.Select(AssignOneAsync)).ConfigureAwait(false);
            }
        }
        finally
        {
            // Once a call, and also of one that fails: what the store has given an ID is not left out of the journal.
            AppendJournal.Note(versions, snapshot, [.. assigned.Index().Where(one => one.Item is not null).Select(one =>
                (new AppendedItem(items[one.Index].ItemId, one.Item!.Id, items[one.Index].Title) { Vector = vectors[one.Index] },
                    one.Item.Existing))]);
        }

        return assigned!;

        async Task AssignOneAsync(int i) => assigned[i] = await store.AssignAsync(
            snapshot.Version, items[i].ItemId, items[i].Title, codes.AsMemory(i * codebook.Levels, codebook.Levels),
            vectors[i], cancel).ConfigureAwait(false);
    }

    /// <returns>[items] what the version's models rank them by.</returns>
    private static ReadOnlyMemory<float>[] VectorsOf(ISnapshot snapshot, IReadOnlyList<ItemEmbedding> items) =>
        snapshot.Find<IItemVectors>() is { } part
            ? [.. items.Select(item => part.VectorOf(item.Embeddings.ToDictionary(
                embedding => embedding.Key, embedding => new ReadOnlyMemory<float>([.. embedding.Value.Values]))))]
            : new ReadOnlyMemory<float>[items.Count];
}
