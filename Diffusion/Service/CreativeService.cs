using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Recsys.Catalog.Ports;
using Recsys.Protos;
using Recsys.V1;
using SemanticId = Recsys.Catalog.SemanticId;

namespace Recsys.Diffusion.Service;

/// <summary>gRPC service Creative: pictures of an item, of a semantic ID, or of what Retrieval recommends for a history.</summary>
public sealed class CreativeService(ISnapshots snapshots, TimeProvider time) : Creative.CreativeBase
{
    /// <summary>Progress is told at most this often, and once at the end.</summary>
    internal static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(100);

    private const int MaxCount = 64;
    private const int MaxHistory = 10_000, MaxUnknown = 1_000;

    // Of a message's write: one that is cancelled resets the stream, and the client reads CANCELLED instead of the status that says why.
    private static readonly CancellationToken Whole = CancellationToken.None;

    /// <exception cref="CatalogException">
    /// InvalidArgument: a field is out of its range. NotFound: unknown item. FailedPrecondition: no version is active, or it lacks the
    /// creative model, or (for a history) the retrieval model.
    /// </exception>
    public override async Task Generate(
        GenerateRequest request, IServerStreamWriter<GenerateResponse> responseStream, ServerCallContext context)
    {
        var options = new PaintOptions { Size = request.Size, Steps = request.Steps, Guidance = request.Guidance }.Validate();
        if (request.Count is < 0 or > MaxCount)
        {
            throw CatalogException.InvalidField(
                "count", $"count {request.Count}: allowed are 0 (means 1) and 1 to {MaxCount}.");
        }

        using var lease = snapshots.Acquire();
        var snapshot = lease.Snapshot;
        var painter = snapshot.Find<Painter>() ?? throw CatalogException.Precondition(
            $"Version {snapshot.Version} has no creative model: it was built without pictures. Rebuild from a dataset with images, or "
            + "activate a version that has one.");
        var cancel = context.CancellationToken;
        var (subjects, unknown) = Subjects(request, snapshot, Math.Max(1, request.Count), cancel);
        var wishes = subjects.Select((s, i) => new PaintRequest(s.Id, unchecked(request.Seed + i))).ToArray();

        // The model draws on a thread of its own; a slow reader of the stream only misses progress messages.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var progress = Channel.CreateBounded<PaintProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var drawing = Task.Run(
            () =>
            {
                try
                {
                    return painter.Generate(wishes, options, new ToChannel(progress.Writer), stop.Token);
                }
                finally
                {
                    progress.Writer.Complete();
                }
            },
            CancellationToken.None);
        try
        {
            await Tell(progress.Reader, snapshot.Version, responseStream, cancel);
        }
        catch
        {
            await stop.CancelAsync(); // the stream broke: nobody waits for the pictures
            throw;
        }
        finally
        {
            // The lease must outlive the drawing: its model may otherwise be freed in mid-step.
            await ((Task)drawing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var paintings = await drawing;
        for (int i = 0; i < paintings.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var response = new GenerateResponse
            {
                Version = snapshot.Version,
                Image = new GeneratedImage
                {
                    Index = i,
                    Png = UnsafeByteOperations.UnsafeWrap(paintings[i].Png),
                    SemanticId = paintings[i].Id.ToMessage(),
                    ItemId = subjects[i].ItemId,
                    Seed = paintings[i].Seed,
                },
            };
            response.UnknownItemIds.AddRange(unknown.Take(i == 0 ? MaxUnknown : 0));
            await responseStream.WriteAsync(response, Whole);
        }
    }

    /// <returns>What to draw, and the items of a history that the version lacks.</returns>
    private static (List<(SemanticId Id, string ItemId)> Subjects, IReadOnlyList<string> Unknown) Subjects(
        GenerateRequest request, ISnapshot snapshot, int count, CancellationToken cancel)
    {
        var items = snapshot.Items;
        switch (request.SubjectCase)
        {
            case GenerateRequest.SubjectOneofCase.ItemId:
                ItemIds.Check(request.ItemId);
                var ofItem = items.SemanticIds[items.IndexOf(request.ItemId)];
                return ([.. Enumerable.Repeat((ofItem, request.ItemId), count)], []);

            case GenerateRequest.SubjectOneofCase.SemanticId:
                var id = Checked(request.SemanticId, items);
                return ([.. Enumerable.Repeat((id, items.TryIndex(id, out int item) ? items.Ids[item] : ""), count)], []);

            case GenerateRequest.SubjectOneofCase.History:
                if (request.History.ItemIds.Count is 0 or > MaxHistory)
                {
                    throw CatalogException.InvalidField(
                        "history", $"history has {request.History.ItemIds.Count} items: allowed are 1 to {MaxHistory}.");
                }

                var recommender = snapshot.Find<IRecommender>() ?? throw CatalogException.Precondition(
                    $"Version {snapshot.Version} has no retrieval model, so nothing can be recommended for a history. Ask by item_id or "
                    + "semantic_id, or activate a version that has one.");
                foreach (string itemId in request.History.ItemIds)
                {
                    ItemIds.Check(itemId, "history.item_ids");
                }

                // As Retrieval does: an item that the version lacks is passed over. One that is left decides.
                var (history, unknown) = items.Known(request.History.ItemIds);
                if (history.Count == 0)
                {
                    throw CatalogException.NotFound(
                        $"Version {snapshot.Version} has none of the history's items, '{ItemIds.Shown(unknown[0])}' for one. Send others, "
                        + "or ask by item_id or semantic_id.");
                }

                var next = recommender.Recommend(new RecommendQuery(history, Math.Min(count, items.Count)), cancel);
                return next.Count > 0
                    ? ([.. next.Select(r => (r.Id, items.Ids[r.Item]))], unknown)
                    : throw CatalogException.Precondition(
                        $"Version {snapshot.Version} recommends nothing for this history, so there is nothing to draw. Ask by item_id "
                        + "or semantic_id.");

            default:
                throw CatalogException.Invalid("No subject: set item_id, semantic_id or history.");
        }
    }

    private static SemanticId Checked(V1.SemanticId id, ItemTable items)
    {
        int levels = id.Codes.Count;
        if (levels == 0 || levels > items.Levels)
        {
            throw CatalogException.InvalidField(
                "semantic_id",
                $"semantic_id has {levels} codes: allowed are 1 to {items.Levels}; fewer than {items.Levels} condition coarsely.");
        }

        for (int level = 0; level < levels; level++)
        {
            if (id.Codes[level] >= items.CodebookSizes[level])
            {
                throw CatalogException.InvalidField(
                    "semantic_id",
                    $"semantic_id: code {id.Codes[level]} at level {level}: allowed are 0 to {items.CodebookSizes[level] - 1}.");
            }
        }

        return id.ToSemanticId();
    }

    private async Task Tell(
        ChannelReader<PaintProgress> progress, string version, IServerStreamWriter<GenerateResponse> stream, CancellationToken cancel)
    {
        long last = 0;
        await foreach (var (step, steps) in progress.ReadAllAsync(cancel))
        {
            if (step == 1 || step == steps || time.GetElapsedTime(last) >= ProgressEvery)
            {
                last = time.GetTimestamp();
                var told = new GenerateResponse { Version = version, Progress = new GenerateProgress { Step = step, Steps = steps } };
                await stream.WriteAsync(told, Whole);
            }
        }
    }

    private sealed class ToChannel(ChannelWriter<PaintProgress> to) : IProgress<PaintProgress>
    {
        public void Report(PaintProgress value) => to.TryWrite(value);
    }
}
