using Grpc.Core;
using Recsys.Catalog.Ports;
using Recsys.Catalog;
using Recsys.Protos;
using Recsys.Quantizer.Encoding;
using Recsys.Torch.Kernels;
using Recsys.V1;
using SemanticId = Recsys.Catalog.SemanticId;

namespace Recsys.Quantizer.Service;

/// <summary>
/// Embeddings to semantic IDs over gRPC. Every call answers from one snapshot and names its version; faults are
/// <see cref="CatalogException"/>s, which the server maps to statuses. A call with one bad item does nothing.
/// </summary>
public sealed class QuantizerService(ISnapshots snapshots, ISemanticIdStore store, IVersionStore versions) : V1.Quantizer.QuantizerBase
{
    private readonly ItemAssigner _assigner = new(store, versions);

    public override Task<EncodeResponse> Encode(EncodeRequest request, ServerCallContext context)
    {
        RequestBounds.CheckItems(request.Items);
        using var lease = snapshots.Acquire();
        var codebook = EmbeddingEncoder.CodebookOf(lease.Snapshot);
        using var encoded = EmbeddingEncoder.Encode(codebook, request.Items, context.CancellationToken);
        double[] errors = codebook.Errors(encoded.Fused, encoded.Codes, request.Items.Count);
        var response = new EncodeResponse { Version = lease.Snapshot.Version };
        for (int i = 0; i < request.Items.Count; i++)
        {
            response.Items.Add(new EncodedItem
            {
                ItemId = request.Items[i].ItemId,
                SemanticId = new SemanticId(encoded.Codes.AsSpan(i * codebook.Levels, codebook.Levels)).ToMessage(),
                ReconstructionError = errors[i],
            });
        }

        return Task.FromResult(response);
    }

    public override async Task<AssignResponse> Assign(AssignRequest request, ServerCallContext context)
    {
        RequestBounds.CheckItems(request.Items);
        using var lease = snapshots.Acquire();
        var (snapshot, cancel) = (lease.Snapshot, context.CancellationToken);
        var assigned = await _assigner.AssignAsync(snapshot, request.Items, cancel);
        var response = new AssignResponse { Version = snapshot.Version };
        response.Items.AddRange(assigned.Select((one, i) => new AssignedItem
        {
            ItemId = request.Items[i].ItemId, SemanticId = one.Id.ToMessage(), Existing = one.Existing,
        }));
        return response;
    }

    /// <summary>As many items as there are: each message is answered when its items are on disk.</summary>
    public override async Task AssignMany(
        IAsyncStreamReader<AssignRequest> requestStream, IServerStreamWriter<AssignResponse> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            var response = await Assign(requestStream.Current, context).ConfigureAwait(false);
            await responseStream.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task<LookupResponse> Lookup(LookupRequest request, ServerCallContext context)
    {
        RequestBounds.CheckCount(
            "item_ids", "item ids, prefixes and semantic IDs", request.ItemIds.Count + request.Prefixes.Count + request.SemanticIds.Count);
        using var lease = snapshots.Acquire();
        var (snapshot, cancel) = (lease.Snapshot, context.CancellationToken);
        int limit = RequestBounds.Limit(request.Limit);
        var prefixes = request.Prefixes.Select(p => RequestBounds.Prefix(p, snapshot.Items.CodebookSizes)).ToArray();
        foreach (string id in request.ItemIds)
        {
            ItemIds.Check(id, "item_ids");
        }

        var response = new LookupResponse { Version = snapshot.Version };
        foreach (string itemId in request.ItemIds)
        {
            // Items appended a moment ago are in the store before they are in the snapshot.
            SemanticId? id = snapshot.Items.TryIndex(itemId, out int item)
                ? snapshot.Items.SemanticIds[item]
                : await store.FindAsync(snapshot.Version, itemId, cancel).ConfigureAwait(false);
            response.Items.Add(new LookedUpItem { ItemId = itemId, SemanticId = id is { } found ? found.ToMessage() : null });
        }

        for (int i = 0; i < prefixes.Length; i++)
        {
            var found = new LookedUpPrefix { Prefix = request.Prefixes[i] };
            found.ItemIds.AddRange(await store.ItemsAsync(snapshot.Version, prefixes[i], limit, cancel).ConfigureAwait(false));
            response.Prefixes.Add(found);
        }

        response.SemanticIds.AddRange(request.SemanticIds.Select(asked => new LookedUpId
        {
            SemanticId = asked,
            ItemId = snapshot.Items.TryIndex(asked.ToSemanticId(), out int item) ? snapshot.Items.Ids[item] : "",
        }));
        return response;
    }

    public override Task<ReconstructResponse> Reconstruct(ReconstructRequest request, ServerCallContext context)
    {
        RequestBounds.CheckCount("semantic_ids", "semantic IDs", request.SemanticIds.Count, RequestBounds.MaxReconstructed);
        using var lease = snapshots.Acquire();
        var codebook = EmbeddingEncoder.CodebookOf(lease.Snapshot);
        var codes = request.SemanticIds.SelectMany(asked => RequestBounds.Codes(asked.ToSemanticId(), codebook.Sizes)).ToArray();
        float[] fused = codebook.Reconstruct(codes, request.SemanticIds.Count);
        var response = new ReconstructResponse { Version = lease.Snapshot.Version };
        foreach (var (i, asked) in request.SemanticIds.Index())
        {
            var item = new ReconstructedId { SemanticId = asked };
            foreach (var (name, vector) in codebook.Fusion.Split(fused.AsMemory(i * codebook.Fusion.Dim, codebook.Fusion.Dim)))
            {
                item.Embeddings.Add(name, new Vector { Values = { vector } });
            }

            response.Items.Add(item);
        }

        return Task.FromResult(response);
    }

    public override Task<CodebookInfo> DescribeCodebook(DescribeCodebookRequest request, ServerCallContext context)
    {
        using var lease = snapshots.Acquire();
        var codebook = EmbeddingEncoder.CodebookOf(lease.Snapshot);
        var info = new CodebookInfo
        {
            Version = lease.Snapshot.Version, Kind = codebook.Kind.Name(), Sizes = { codebook.Sizes.Select(size => (uint)size) },
            Beam = (uint)codebook.Beam,
        };
        info.Embeddings.AddRange(codebook.Fusion.Parts.Select(part => new EmbeddingInfo
        {
            Name = part.Name, Dim = (uint)part.Dim, Weight = part.Weight, KeepLength = part.KeepLength, Space = part.Space ?? "",
        }));
        return Task.FromResult(info);
    }

    /// <summary>Items whose IDs stand for embeddings like the ones given: for what is in no catalogue yet.</summary>
    public override Task<NearestResponse> Nearest(NearestRequest request, ServerCallContext context)
    {
        int k = RequestBounds.Nearest(request.K);
        using var lease = snapshots.Acquire();
        var (codebook, items) = (EmbeddingEncoder.CodebookOf(lease.Snapshot), lease.Snapshot.Items);
        var asked = new ItemEmbedding { ItemId = "(the request)", Embeddings = { request.Embeddings } };
        using var encoded = EmbeddingEncoder.Encode(codebook, [asked], context.CancellationToken);
        var response = new NearestResponse { Version = lease.Snapshot.Version };
        var found = NearestItems.Of(codebook, encoded.Row(0).ToArray(), items, k, context.CancellationToken);
        response.Items.AddRange(found.Select(near => new NearItem
        {
            ItemId = items.Ids[near.Item], SemanticId = items.SemanticIds[near.Item].ToMessage(), Title = items.Titles[near.Item],
            Distance = near.Distance,
        }));
        return Task.FromResult(response);
    }
}
