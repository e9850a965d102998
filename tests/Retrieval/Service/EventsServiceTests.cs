using Google.Protobuf.WellKnownTypes;
using Recsys.Retrieval.Service;
using Recsys.V1;

namespace Recsys.Retrieval.Tests.Service;

public sealed class EventsServiceTests : IInteractions
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private readonly List<Interaction> _taken = [];
    private readonly EventsService _service;

    public EventsServiceTests() => _service = new EventsService(this, new Clock());

    [Fact]
    public async Task Events_are_taken_with_their_times_and_what_became_of_them_is_told()
    {
        var answer = await _service.Record(
            new RecordEventsRequest
            {
                Events =
                {
                    new Event { UserId = "u", ItemId = "a" },
                    new Event { UserId = "v", ItemId = "b", Time = Now.AddDays(-2).ToTimestamp() },
                },
            },
            new FakeContext());
        Assert.Equal([new("u", "a", Now, Now), new Interaction("v", "b", Now.AddDays(-2), Now)], _taken);
        Assert.Equal((2, 3, 4), (answer.Recorded, answer.Duplicates, answer.Late));
    }

    public static TheoryData<RecordEventsRequest, string> Refused => new()
    {
        { new RecordEventsRequest(), "0 events; allowed are 1 to 10000" },
        { new RecordEventsRequest { Events = { Enumerable.Repeat(new Event { UserId = "u", ItemId = "a" }, 10_001) } }, "10001 events" },
        { With(new Event { ItemId = "a" }), "user_id '' has 0 characters" },
        { With(new Event { UserId = new string('u', 257), ItemId = "a" }), "257 characters" },
        { With(new Event { UserId = "u\tv", ItemId = "a" }), "without tabs" },
        { With(new Event { UserId = "u" }), "Item id ''" },
        { With(new Event { UserId = "u", ItemId = "a", Time = Now.AddMinutes(6).ToTimestamp() }), "5 minutes more" },
        { With(new Event { UserId = "u", ItemId = "a", Time = new Timestamp { Nanos = -1 } }), "years 1 to 9999" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_message_with_something_that_is_not_allowed_is_refused_whole(RecordEventsRequest request, string told)
    {
        var error = await Assert.ThrowsAsync<CatalogException>(() => _service.Record(request, new FakeContext()));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Empty(_taken);
    }

    public Task<RecordedCounts> RecordAsync(IReadOnlyList<Interaction> interactions, CancellationToken cancel)
    {
        _taken.AddRange(interactions);
        return Task.FromResult(new RecordedCounts(2, 3, 4));
    }

    public Task<InteractionPage> ReadAsync(string? after, DateTimeOffset since, CancellationToken cancel) =>
        throw new InvalidOperationException();

    private static RecordEventsRequest With(Event bad) =>
        new() { Events = { new Event { UserId = "u", ItemId = "a" }, bad } };

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
