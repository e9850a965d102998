using Grpc.Core;
using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Catalog.Ports;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Quantizer.Service;

/// <summary>
/// recsys.v1.Items: new items, and attributes that change while versions stay. A message is checked whole before anything of it counts.
/// </summary>
public sealed class ItemsService(
    ISnapshots snapshots, ISemanticIdStore store, IVersionStore versions, ILiveValues live, TimeProvider time) : V1.Items.ItemsBase
{
    /// <summary>Items that are asked for in one call, and unknown ones that an answer names.</summary>
    public const int MaxAsked = 1_000;

    /// <summary>Characters (UTF-16) of an attribute's name.</summary>
    public const int MaxName = 256;

    private readonly ItemAssigner _assigner = new(store, versions);

    /// <exception cref="CatalogException">
    /// InvalidArgument: an id, name, value, time or embedding that is not allowed; nothing was changed then. FailedPrecondition: no active
    /// version, or embeddings and no codebook. Unavailable: the store does not answer; call again.
    /// </exception>
    public override async Task<UpsertItemsResponse> Upsert(UpsertItemsRequest request, ServerCallContext context)
    {
        var response = new UpsertItemsResponse();
        await TakeAsync(request, response, context.CancellationToken).ConfigureAwait(false);
        return response;
    }

    /// <inheritdoc cref="Upsert"/>
    public override async Task<UpsertItemsResponse> UpsertMany(
        IAsyncStreamReader<UpsertItemsRequest> requestStream, ServerCallContext context)
    {
        var response = new UpsertItemsResponse();
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            await TakeAsync(requestStream.Current, response, context.CancellationToken).ConfigureAwait(false);
        }

        return response;
    }

    /// <exception cref="CatalogException">InvalidArgument: too many ids, or one that no item has.</exception>
    public override Task<GetItemsResponse> Get(GetItemsRequest request, ServerCallContext context)
    {
        RequestBounds.CheckIds("item_ids", "item_ids", request.ItemIds, MaxAsked);
        using var lease = snapshots.Acquire();
        var items = lease.Snapshot.Items;
        var (known, unknown) = items.Known(request.ItemIds);
        var response = new GetItemsResponse { Version = lease.Snapshot.Version, UnknownItemIds = { unknown } };
        foreach (int item in known)
        {
            var info = new ItemInfo
            {
                ItemId = items.Ids[item], SemanticId = items.SemanticIds[item].ToMessage(), Title = items.Titles[item],
            };
            for (int column = 0; column < items.Attributes.Names.Count; column++)
            {
                if (items.Attributes.Value(item, column) is { Length: > 0 } text)
                {
                    info.Attributes[items.Attributes.Names[column]] = text;
                }
            }

            response.Items.Add(info);
        }

        return Task.FromResult(response);
    }

    /// <summary>Adds what it did to a response.</summary>
    private async Task TakeAsync(UpsertItemsRequest request, UpsertItemsResponse response, CancellationToken cancel)
    {
        RequestBounds.CheckIds("items", "items.item_id", [.. request.Items.Select(item => item.ItemId)], RequestBounds.MaxItems);
        using var lease = snapshots.Acquire();
        var snapshot = lease.Snapshot;
        LiveValue[] values = [.. request.Items.SelectMany(Read)];
        CheckNames(values, snapshot.Items.Attributes);

        // First: a new item that is answered for has its ID as well as its values.
        ItemEmbedding[] brought =
        [
            .. request.Items.Where(item => item.Embeddings.Count > 0 && !IsBuilt(snapshot, item.ItemId)).Select(item =>
                new ItemEmbedding { ItemId = item.ItemId, Title = item.Title, Embeddings = { item.Embeddings } }),
        ];
        var assigned = brought.Length > 0 ? await _assigner.AssignAsync(snapshot, brought, cancel).ConfigureAwait(false) : [];
        int written = await live.WriteAsync(values, cancel).ConfigureAwait(false);

        response.Version = snapshot.Version;
        response.Items += request.Items.Count;
        response.Values += written;
        response.LateValues += values.Length - written;
        response.Assigned += assigned.Count(one => !one.Existing);
        var unknown = snapshot.Items.Known(request.Items.Select(item => item.ItemId)).Unknown.Except(brought.Select(item => item.ItemId));
        foreach (string id in unknown.Except(response.UnknownItemIds))
        {
            // Items that came a moment ago are in the store before they are in the snapshot.
            if (response.UnknownItemIds.Count < MaxAsked
                && await store.FindAsync(snapshot.Version, id, cancel).ConfigureAwait(false) is null)
            {
                response.UnknownItemIds.Add(id);
            }
        }
    }

    /// <summary>Whether the version was built with the item: then its ID is settled.</summary>
    private static bool IsBuilt(ISnapshot snapshot, string id) =>
        snapshot.Items.TryIndex(id, out int item) && item < snapshot.Items.BaseCount;

    private IEnumerable<LiveValue> Read(ItemUpsert item)
    {
        if (item.Attributes.Count + item.Clear.Count > ItemAttributes.MaxColumns)
        {
            throw Refused(item, $"{item.Attributes.Count + item.Clear.Count} attributes; allowed are {ItemAttributes.MaxColumns}");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in item.Attributes.Keys.Concat(item.Clear))
        {
            if (name.Length is 0 or > MaxName || name.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0)
            {
                throw Refused(
                    item,
                    $"an attribute '{ItemIds.Shown(name)}' of {name.Length} characters; a name is one line of 1 to {MaxName} without tabs");
            }

            if (!names.Add(name))
            {
                throw Refused(item, $"the attribute '{ItemIds.Shown(name)}' twice; set it or clear it, once");
            }
        }

        if (item.Attributes.FirstOrDefault(pair => pair.Value.Length > ItemAttributes.MaxLength) is { Key: not null } long_)
        {
            throw Refused(
                item,
                $"a value of '{ItemIds.Shown(long_.Key)}' with {long_.Value.Length} characters; allowed are {ItemAttributes.MaxLength}");
        }

        var since = RequestTimes.Read("items.time", $"Item '{ItemIds.Shown(item.ItemId)}'", item.Time, time.GetUtcNow());
        return item.Attributes.Select(pair => new LiveValue(item.ItemId, pair.Key, pair.Value, since))
            .Concat(item.Clear.Select(name => new LiveValue(item.ItemId, name, null, since)));
    }

    private static void CheckNames(LiveValue[] values, ItemAttributes attributes)
    {
        string[] fresh = [.. values.Where(value => value.Text is not null).Select(value => value.Attribute).Distinct()
            .Except(attributes.Names)];
        if (fresh.Length > 0 && attributes.Names.Count + fresh.Length > ItemAttributes.MaxColumns)
        {
            throw CatalogException.InvalidField(
                "items.attributes",
                $"The version's items have {attributes.Names.Count} attributes; with "
                + $"{string.Join(", ", fresh.Take(3).Select(ItemIds.Shown))}{(fresh.Length > 3 ? "…" : "")} "
                + $"there would be {attributes.Names.Count + fresh.Length}, and {ItemAttributes.MaxColumns} are allowed.");
        }
    }

    private static CatalogException Refused(ItemUpsert item, string what) =>
        CatalogException.InvalidField("items.attributes", $"Item '{ItemIds.Shown(item.ItemId)}' has {what}.");
}
