using Recsys.Catalog;
using Recsys.Protos;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Service;
using Recsys.Quantizer.Training;
using Recsys.V1;
using SemanticId = Recsys.Catalog.SemanticId;

namespace Recsys.Quantizer.Tests;

public sealed class QuantizerServiceTests : IDisposable
{
    private readonly EmbeddingMatrix _text = Blobs.Make("text", 60, 4, 12, 1);
    private readonly FakeStore _store = new();
    private readonly FakeVersions _versions = new();
    private readonly Codebook _codebook;
    private readonly ItemTable _items;
    private readonly FakeSnapshots _snapshots;
    private readonly QuantizerService _service;

    public QuantizerServiceTests()
    {
        var fused = Blobs.Fuse(_text);
        _codebook = QuantizerTrainer.Train(fused, new QuantizerOptions { Levels = 2, CodebookSize = 8 }, 1, null, default);
        _items = new ItemTable(
            [.. Enumerable.Range(0, 60).Select(i => $"item{i}")], _codebook.EncodeCatalogue(fused).Ids, [.. Enumerable.Repeat("", 60)],
            _codebook.Sizes);
        _store.PublishAsync("v1", _items, default).Wait();
        _snapshots = new FakeSnapshots("v1", _items, _codebook);
        _service = new QuantizerService(_snapshots, _store, _versions);
    }

    public void Dispose()
    {
        Assert.Equal(0, _snapshots.Open); // every request gave its lease back
        _codebook.Dispose();
    }

    [Fact]
    public async Task Encode_gives_the_codes_of_the_catalogue_and_stores_nothing()
    {
        var response = await _service.Encode(new EncodeRequest { Items = { Vector("item3", 3), Vector("new", 17) } }, new FakeCall());
        Assert.Equal("v1", response.Version);
        Assert.Equal(_items.SemanticIds[3].Codes().Select(c => (uint)c), response.Items[0].SemanticId.Codes);
        Assert.Equal(_items.SemanticIds[17].Codes().Select(c => (uint)c), response.Items[1].SemanticId.Codes);
        Assert.True(response.Items[0].ReconstructionError >= 0);
        Assert.Null(await _store.FindAsync("v1", "new", default));
    }

    [Theory]
    [InlineData("fitted to a", "fitted to a", true)]
    [InlineData("fitted to a", "fitted to b", false)]
    [InlineData("fitted to a", "", true)] // the caller vouches for it
    [InlineData(null, "fitted to b", false)] // trained on the owner's own
    [InlineData(null, "", true)]
    public async Task Vectors_of_another_space_than_the_versions_are_refused_and_nothing_is_stored(string? trained, string sent, bool taken)
    {
        var text = new EmbeddingMatrix("text", _text.Dim, _text.Data, _text.Present) { Space = trained };
        using var folder = new TemporaryFolder();
        var options = new QuantizerOptions { Levels = 2, CodebookSize = 8 };
        using (var trainedOn = QuantizerTrainer.Train(Blobs.Fuse(text), options, 1, null, default))
        {
            trainedOn.Save(folder.Path);
        }

        using var codebook = Codebook.Load(folder.Path); // the space is saved with it
        var service = new QuantizerService(new FakeSnapshots("v1", _items, codebook), _store, _versions);
        var item = Vector("new", 3);
        item.Embeddings["text"].Space = sent;
        if (taken)
        {
            Assert.Single((await service.Encode(new EncodeRequest { Items = { item } }, new FakeCall())).Items);
            return;
        }

        var refused = await Assert.ThrowsAsync<CatalogException>(
            () => service.Assign(new AssignRequest { Items = { item } }, new FakeCall()));
        Assert.Equal(Fault.FailedPrecondition, refused.Fault);
        Assert.Contains(sent, refused.Message, StringComparison.Ordinal);
        Assert.Contains(trained ?? "its owner brought", refused.Message, StringComparison.Ordinal);
        Assert.Null(await _store.FindAsync("v1", "new", default));
    }

    [Fact]
    public async Task Assign_stores_journals_and_gives_the_same_answer_again()
    {
        var request = new AssignRequest { Items = { Vector("new", 3, "A new one"), Vector("item3", 3) } };
        var first = await _service.Assign(request, new FakeCall());
        Assert.Equal([false, true], first.Items.Select(i => i.Existing));
        Assert.NotEqual(first.Items[0].SemanticId, first.Items[1].SemanticId);
        Assert.Equal(first.Items[0].SemanticId.Codes, first.Items[1].SemanticId.Codes);

        var again = await _service.Assign(request, new FakeCall());
        Assert.Equal(first.Items.Select(i => i.SemanticId), again.Items.Select(i => i.SemanticId));
        var noted = Assert.Single(_versions.Journal);
        Assert.Equal(("new", "A new one"), (noted.ItemId, noted.Title));
        Assert.Equal(first.Items[0].SemanticId.Collision, noted.SemanticId.Collision);
    }

    [Fact]
    public async Task A_call_that_died_between_store_and_journal_is_made_good_by_repeating_it()
    {
        var request = new AssignRequest { Items = { Vector("new", 3) } };
        _versions.Die = true;
        await Assert.ThrowsAsync<IOException>(() => _service.Assign(request, new FakeCall()));
        Assert.Empty(_versions.Journal);
        Assert.True((await _service.Assign(request, new FakeCall())).Items[0].Existing);
        Assert.Single(_versions.Journal);
        await _service.Assign(request, new FakeCall());
        Assert.Single(_versions.Journal);
    }

    [Fact]
    public async Task An_item_that_the_stream_has_brought_but_no_journal_is_noted_before_it_is_acknowledged()
    {
        // A full disk: the store has the item, the journal does not, and by the retry the snapshot has it from the store's stream.
        var request = new AssignRequest { Items = { Vector("new", 3) } };
        _versions.Die = true;
        await Assert.ThrowsAsync<IOException>(() => _service.Assign(request, new FakeCall()));
        _snapshots.Append(new AppendedItem("new", (await _store.FindAsync("v1", "new", default))!.Value, ""));
        _versions.Die = true;
        await Assert.ThrowsAsync<IOException>(() => _service.Assign(request, new FakeCall()));
        Assert.True((await _service.Assign(request, new FakeCall())).Items[0].Existing);
        Assert.Equal("new", Assert.Single(_versions.Journal).ItemId);
    }

    [Fact]
    public async Task A_call_writes_its_journal_once_and_one_without_new_items_never()
    {
        var request = new AssignRequest { Items = { Enumerable.Range(0, 600).Select(i => Vector($"new{i}", i % 60)), Vector("item3", 3) } };
        await _service.Assign(request, new FakeCall());
        Assert.Equal((1, 600), (_versions.Writes, _versions.Journal.Count));
        await _service.Assign(request, new FakeCall());
        Assert.Equal(1, _versions.Writes);
    }

    [Theory]
    [InlineData("a\tb")]
    [InlineData("a\nb")]
    [InlineData("")]
    public async Task One_bad_id_refuses_the_whole_call_before_anything_is_stored(string id)
    {
        var request = new AssignRequest { Items = { Vector("good", 1), Vector(id, 2) } };
        await Refused(Fault.InvalidArgument, () => _service.Assign(request, new FakeCall()));
        await Refused(Fault.InvalidArgument, () => _service.Lookup(new LookupRequest { ItemIds = { "good", id } }, new FakeCall()));
        Assert.Null(await _store.FindAsync("v1", "good", default));
    }

    [Fact]
    public async Task An_item_named_twice_in_a_call_gets_one_semantic_id()
    {
        var response = await _service.Assign(new AssignRequest { Items = { Vector("new", 3), Vector("new", 3) } }, new FakeCall());
        Assert.Equal(response.Items[0].SemanticId, response.Items[1].SemanticId);
        Assert.Single(_versions.Journal);
    }

    [Fact]
    public async Task A_store_that_fails_is_passed_on_and_what_was_stored_before_can_be_repeated()
    {
        _store.FailFor = "second";
        var request = new AssignRequest { Items = { Vector("first", 1), Vector("second", 2) } };
        await Refused(Fault.Unavailable, () => _service.Assign(request, new FakeCall()));
        await _service.Assign(request, new FakeCall());
        Assert.Equal(["first", "second"], _versions.Journal.Select(i => i.ItemId).Order());
    }

    [Fact]
    public async Task One_bad_item_refuses_the_whole_call()
    {
        var bad = new Vector { Values = { 1, float.NaN, 1, 1 } };
        var request = new AssignRequest { Items = { Vector("good", 1), Of("bad", "text", bad) } };
        await Refused(Fault.InvalidArgument, () => _service.Assign(request, new FakeCall()));
        Assert.Null(await _store.FindAsync("v1", "good", default));
        Assert.Empty(_versions.Journal);
    }

    [Fact]
    public async Task Lookup_answers_both_ways_and_sees_items_appended_since_the_snapshot()
    {
        await _service.Assign(new AssignRequest { Items = { Vector("new", 5) } }, new FakeCall());
        var codes = _items.SemanticIds[5].Codes().Select(c => (uint)c).ToArray();
        var request = new LookupRequest
        {
            ItemIds = { "item5", "new", "nobody" },
            Prefixes = { new CodePrefix { Codes = { codes } }, new CodePrefix { Codes = { codes[0] } } },
        };
        var response = await _service.Lookup(request, new FakeCall());
        Assert.Equal(codes, response.Items[0].SemanticId.Codes);
        Assert.Equal(codes, response.Items[1].SemanticId.Codes);
        Assert.Null(response.Items[2].SemanticId);
        Assert.Contains("item5", response.Prefixes[0].ItemIds);
        Assert.Contains("new", response.Prefixes[0].ItemIds);
        var expected = Enumerable.Range(0, 60).Where(i => _items.SemanticIds[i][0] == codes[0]).Select(i => $"item{i}").Append("new");
        Assert.Equal(expected.Order(StringComparer.Ordinal), response.Prefixes[1].ItemIds);
    }

    [Fact]
    public async Task A_full_semantic_id_leads_to_its_item_and_to_none_where_there_is_none()
    {
        var taken = _items.SemanticIds[7].ToMessage();
        var free = new V1.SemanticId { Collision = 999, Codes = { taken.Codes } };
        var response = await _service.Lookup(new LookupRequest { SemanticIds = { free, taken } }, new FakeCall());
        Assert.Equal([(free, ""), (taken, "item7")], response.SemanticIds.Select(found => (found.SemanticId, found.ItemId)));
    }

    [Fact]
    public async Task Codes_are_reconstructed_to_the_embeddings_that_they_stand_for()
    {
        var asked = new ReconstructRequest { SemanticIds = { _items.SemanticIds.Select(id => id.ToMessage()) } };
        var response = await _service.Reconstruct(asked, new FakeCall());
        // The mean squared distance to the items' own vectors, both of unit length, is what the codebook says that it loses.
        double lost = 0, spread = 0;
        float[] mean = _codebook.Fusion.Parts[0].Mean;
        for (int item = 0; item < 60; item++)
        {
            float[] vector = [.. _text.Row(item)], found = [.. response.Items[item].Embeddings["text"].Values];
            double length = Math.Sqrt(vector.Sum(value => (double)value * value));
            lost += vector.Zip(found, (a, b) => Math.Pow((a / length) - b, 2)).Sum();
            spread += vector.Zip(mean, (a, b) => Math.Pow((a / length) - b, 2)).Sum();
        }

        Assert.Equal(_codebook.EncodeCatalogue(Blobs.Fuse(_text)).Report.ReconstructionError, lost / spread, 1e-4);
        await Refused(Fault.InvalidArgument, () => Of(1), "1 codes; this version's have 2");
        await Refused(Fault.InvalidArgument, () => Of(1, 8), "code 8 at level 1");
        await Refused(Fault.InvalidArgument, () => _service.Reconstruct(new ReconstructRequest(), new FakeCall()), "1 to 1000");

        Task Of(params uint[] codes) => _service.Reconstruct(
            new ReconstructRequest { SemanticIds = { new V1.SemanticId { Codes = { codes } } } }, new FakeCall());
    }

    [Fact]
    public async Task A_codebook_says_what_it_is_and_what_it_wants()
    {
        var info = await _service.DescribeCodebook(new DescribeCodebookRequest(), new FakeCall());
        Assert.Equal(("v1", "residual-kmeans", 1u), (info.Version, info.Kind, info.Beam));
        Assert.Equal([8u, 8u], info.Sizes);
        var text = Assert.Single(info.Embeddings);
        Assert.Equal(("text", (uint)_text.Dim, 1.0, false, ""), (text.Name, text.Dim, text.Weight, text.KeepLength, text.Space));
    }

    [Fact]
    public async Task Lookup_respects_the_limit()
    {
        var response = await _service.Lookup(
            new LookupRequest { Prefixes = { new CodePrefix { Codes = { _items.SemanticIds[0][0] } } }, Limit = 1 }, new FakeCall());
        Assert.Single(response.Prefixes[0].ItemIds);
    }

    [Fact]
    public async Task Requests_out_of_bounds_are_refused_with_the_bound()
    {
        await Refused("1 to 10000", () => _service.Encode(new EncodeRequest(), new FakeCall()));
        var tooMany = new AssignRequest { Items = { Enumerable.Repeat(Vector("x", 0), 10_001) } };
        await Refused("1 to 10000", () => _service.Assign(tooMany, new FakeCall()));
        await Refused("1 to 1024", () => _service.Encode(new EncodeRequest { Items = { Vector("", 0) } }, new FakeCall()));
        await Refused("1 to 10000", () => _service.Lookup(new LookupRequest(), new FakeCall()));
        await Refused("1 to 10000, or 0", () => _service.Lookup(new LookupRequest { ItemIds = { "x" }, Limit = 10_001 }, new FakeCall()));
        await Refused("1 to 2", () => Below(new CodePrefix { Codes = { 1, 2, 3 } }));
        await Refused("1 to 2", () => Below(new CodePrefix()));
        await Refused("Code 8 at level 0", () => Below(new CodePrefix { Codes = { 8 } }));
        var unknown = new EncodeRequest { Items = { Of("x", "sound", new Vector { Values = { 1 } }) } };
        await Refused("unknown to this version's codebook", () => _service.Encode(unknown, new FakeCall()));

        Task Below(CodePrefix prefix) => _service.Lookup(new LookupRequest { Prefixes = { prefix } }, new FakeCall());

        static Task Refused(string bound, Func<Task> call) => QuantizerServiceTests.Refused(Fault.InvalidArgument, call, bound);
    }

    [Fact]
    public async Task A_version_without_codebook_is_a_failed_precondition()
    {
        var service = new QuantizerService(new FakeSnapshots("v0", _items, null), _store, _versions);
        var request = new EncodeRequest { Items = { Vector("x", 0) } };
        await Refused(Fault.FailedPrecondition, () => service.Encode(request, new FakeCall()));
    }

    private static async Task Refused(Fault fault, Func<Task> call, string says = "")
    {
        var error = await Assert.ThrowsAsync<CatalogException>(call);
        Assert.Equal(fault, error.Fault);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    private ItemEmbedding Vector(string id, int row, string title = "") =>
        Of(id, "text", new Vector { Values = { _text.Row(row).ToArray() } }, title);

    private static ItemEmbedding Of(string id, string embedding, Vector vector, string title = "") =>
        new() { ItemId = id, Title = title, Embeddings = { [embedding] = vector } };
}
