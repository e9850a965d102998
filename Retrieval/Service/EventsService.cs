using Grpc.Core;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Retrieval.Service;

/// <summary>recsys.v1.Events: takes interactions in. A message is checked whole before anything of it counts.</summary>
public sealed class EventsService(IInteractions interactions, TimeProvider time) : Events.EventsBase
{
    /// <summary>Events of one message.</summary>
    public const int MaxEvents = 10_000;

    /// <exception cref="CatalogException">
    /// InvalidArgument: an id, time or number of events that is not allowed; nothing was taken then. Unavailable: the store does not
    /// answer; call again.
    /// </exception>
    public override async Task<RecordEventsResponse> Record(RecordEventsRequest request, ServerCallContext context)
    {
        if (request.Events.Count is 0 or > MaxEvents)
        {
            throw CatalogException.InvalidField(
                "events", $"A message with {request.Events.Count} events; allowed are 1 to {MaxEvents}. Send several.");
        }

        var now = time.GetUtcNow();
        var counts = await interactions.RecordAsync([.. request.Events.Select(one => Read(one, now))], context.CancellationToken);
        return new RecordEventsResponse { Recorded = counts.New, Duplicates = counts.Duplicates, Late = counts.Late };
    }

    /// <inheritdoc cref="Record"/>
    public override async Task RecordMany(
        IAsyncStreamReader<RecordEventsRequest> requestStream, IServerStreamWriter<RecordEventsResponse> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            await responseStream.WriteAsync(await Record(requestStream.Current, context), context.CancellationToken);
        }
    }

    private static Interaction Read(Event one, DateTimeOffset now)
    {
        ItemIds.Check(one.ItemId, "events.item_id");
        if (one.UserId.Length is 0 or > RetrievalService.MaxUserId || one.UserId.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0)
        {
            throw CatalogException.InvalidField(
                "events.user_id",
                $"user_id '{ItemIds.Shown(one.UserId)}' has {one.UserId.Length} characters; allowed is one line of 1 to "
                + $"{RetrievalService.MaxUserId} without tabs.");
        }

        string what = $"The event of user '{ItemIds.Shown(one.UserId)}' with item '{ItemIds.Shown(one.ItemId)}'";
        return new Interaction(one.UserId, one.ItemId, RequestTimes.Read("events.time", what, one.Time, now), now);
    }
}
