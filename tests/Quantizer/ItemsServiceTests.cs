using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Service;
using Recsys.Quantizer.Training;
using Recsys.V1;

namespace Recsys.Quantizer.Tests;

public sealed class ItemsServiceTests : ILiveValues, IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly EmbeddingMatrix Vectors = Blobs.Make("text", 60, 4, 12, 1);

    private readonly List<LiveValue> _live = [];
    private readonly Codebook _codebook;
    private readonly FakeSnapshots _snapshots;
    private readonly FakeStore _store = new();
    private readonly FakeVersions _versions = new();
    private readonly ItemsService _service;

    public ItemsServiceTests()
    {
        _codebook = QuantizerTrainer.Train(
            Blobs.Fuse(Vectors), new QuantizerOptions { Levels = 2, CodebookSize = 8 }, 1, null, default);
        var items = new ItemTable(
            ["a", "b"], [new Catalog.SemanticId([0, 0], 0), new Catalog.SemanticId([1, 1], 0)], ["A", ""], _codebook.Sizes,
            new ItemAttributes(["price", "brand"], [["1", ""], ["2", "Acme"]]));
        _snapshots = new FakeSnapshots("v1", items, _codebook);
        _store.PublishAsync("v1", items, default).Wait();
        _service = new ItemsService(_snapshots, _store, _versions, this, new Clock());
    }

    public void Dispose() => _codebook.Dispose();

    [Fact]
    public async Task Values_are_written_with_their_times_and_what_the_version_does_not_have_is_named()
    {
        var since = Now.AddHours(-1);
        var answer = await Upsert(
            new ItemUpsert { ItemId = "a", Attributes = { ["stock"] = "0", ["price"] = "" } },
            new ItemUpsert { ItemId = "b", Clear = { "price" }, Time = since.ToTimestamp() },
            new ItemUpsert { ItemId = "c", Attributes = { ["stock"] = "7" } });
        Assert.Equal(
            [
                new("a", "price", "", Now), new("a", "stock", "0", Now), new("b", "price", null, since),
                new LiveValue("c", "stock", "7", Now),
            ],
            _live.OrderBy(value => value.ItemId).ThenBy(value => value.Attribute));
        Assert.Equal(("v1", 3, 4, 0, 0), (answer.Version, answer.Items, answer.Values, answer.LateValues, answer.Assigned));
        Assert.Equal(["c"], answer.UnknownItemIds);
        Assert.Equal(0, _snapshots.Open);
    }

    [Fact]
    public async Task A_new_item_gets_its_id_once_and_its_values_and_one_with_an_id_keeps_it()
    {
        var request = new[]
        {
            new ItemUpsert
            {
                ItemId = "new", Title = "New", Attributes = { ["stock"] = "1" },
                Embeddings = { ["text"] = new Vector { Values = { Vectors.Data[..Vectors.Dim] } } },
            },
            new ItemUpsert { ItemId = "a", Embeddings = { ["text"] = new Vector { Values = { Vectors.Data[..Vectors.Dim] } } } },
        };
        var first = await Upsert(request);
        Assert.Equal((1, 1), (first.Assigned, first.Values));
        Assert.Empty(first.UnknownItemIds);
        Assert.Equal(("new", "New"), (_versions.Journal.Single().ItemId, _versions.Journal.Single().Title));
        var second = await Upsert(request);
        Assert.Equal((0, 2), (second.Assigned, second.Items));
        Assert.Single(_versions.Journal);
        Assert.Empty((await Upsert(new ItemUpsert { ItemId = "new", Attributes = { ["stock"] = "2" } })).UnknownItemIds);
    }

    [Fact]
    public async Task A_stream_is_taken_message_by_message_and_answered_once()
    {
        var messages = new Messages(Enumerable.Range(0, 5).Select(i =>
            new UpsertItemsRequest
            {
                Items = { new ItemUpsert { ItemId = i % 2 == 0 ? "a" : "z", Attributes = { ["stock"] = $"{i}" } } },
            }));
        var answer = await _service.UpsertMany(messages, new FakeCall());
        Assert.Equal((5, 5), (answer.Items, answer.Values));
        Assert.Equal(["z"], answer.UnknownItemIds);
        Assert.Equal(["0", "1", "2", "3", "4"], _live.Select(value => value.Text));
    }

    public static TheoryData<ItemUpsert, string> Refused => new()
    {
        { new ItemUpsert { ItemId = "" }, "has 0 characters" },
        { new ItemUpsert { ItemId = "a", Attributes = { [""] = "x" } }, "0 characters" },
        { new ItemUpsert { ItemId = "a", Attributes = { ["a\tb"] = "x" } }, "without tabs" },
        { new ItemUpsert { ItemId = "a", Clear = { new string('n', 257) } }, "257 characters" },
        { new ItemUpsert { ItemId = "a", Attributes = { ["n"] = new string('x', 1025) } }, "1025 characters; allowed are 1024" },
        { new ItemUpsert { ItemId = "a", Attributes = { ["n"] = "x" }, Clear = { "n" } }, "twice" },
        { new ItemUpsert { ItemId = "a", Clear = { Enumerable.Range(0, 65).Select(i => $"n{i}") } }, "65 attributes; allowed are 64" },
        { Many(63), "allowed" }, // with price and brand there would be 65
        { new ItemUpsert { ItemId = "a", Attributes = { ["n"] = "x" }, Time = Now.AddMinutes(6).ToTimestamp() }, "5 minutes more" },
        { new ItemUpsert { ItemId = "a", Time = new Timestamp { Seconds = long.MaxValue } }, "years 1 to 9999" },
        { new ItemUpsert { ItemId = "new", Embeddings = { ["text"] = new Vector { Values = { 1 } } } }, "'new'" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_message_with_something_that_is_not_allowed_changes_nothing(ItemUpsert upsert, string told)
    {
        var error = await Assert.ThrowsAsync<CatalogException>(
            () => Upsert(new ItemUpsert { ItemId = "b", Attributes = { ["stock"] = "1" } }, upsert));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Empty(_live);
        Assert.Empty(_versions.Journal);
    }

    [Fact]
    public async Task As_many_attributes_as_a_version_may_have_are_taken()
    {
        Assert.Equal(62, (await Upsert(Many(62))).Values);
    }

    [Fact]
    public async Task Calls_without_items_or_with_too_many_are_refused()
    {
        await Assert.ThrowsAsync<CatalogException>(() => Upsert());
        await Assert.ThrowsAsync<CatalogException>(() => Upsert([.. Enumerable.Repeat(new ItemUpsert { ItemId = "a" }, 10_001)]));
        await Assert.ThrowsAsync<CatalogException>(() => _service.Get(new GetItemsRequest(), new FakeCall()));
    }

    [Fact]
    public async Task An_item_is_told_as_the_filters_see_it()
    {
        var answer = await _service.Get(new GetItemsRequest { ItemIds = { "b", "x", "a" } }, new FakeCall());
        Assert.Equal("v1", answer.Version);
        Assert.Equal(["b", "a"], answer.Items.Select(item => item.ItemId));
        Assert.Equal("brand Acme, price 2", Told(answer.Items[0]));
        Assert.Equal(("price 1", "A"), (Told(answer.Items[1]), answer.Items[1].Title));
        Assert.Equal(["x"], answer.UnknownItemIds);
        static string Told(ItemInfo item) => string.Join(", ", item.Attributes.Order(Comparer<KeyValuePair<string, string>>.Create(
            (a, b) => string.CompareOrdinal(a.Key, b.Key))).Select(pair => $"{pair.Key} {pair.Value}"));
    }

    public Task<int> WriteAsync(IReadOnlyList<LiveValue> values, CancellationToken cancel)
    {
        _live.AddRange(values);
        return Task.FromResult(values.Count);
    }

    public Task<LivePage> ReadAsync(string? after, CancellationToken cancel) => throw new InvalidOperationException();

    private Task<UpsertItemsResponse> Upsert(params ItemUpsert[] items) =>
        _service.Upsert(new UpsertItemsRequest { Items = { items } }, new FakeCall());

    private static ItemUpsert Many(int attributes)
    {
        var upsert = new ItemUpsert { ItemId = "a" };
        Enumerable.Range(0, attributes).ToList().ForEach(i => upsert.Attributes.Add($"n{i}", "x"));
        return upsert;
    }

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class Messages(IEnumerable<UpsertItemsRequest> requests) : IAsyncStreamReader<UpsertItemsRequest>
    {
        private readonly IEnumerator<UpsertItemsRequest> _requests = requests.GetEnumerator();

        public UpsertItemsRequest Current => _requests.Current;

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(_requests.MoveNext());
    }
}
