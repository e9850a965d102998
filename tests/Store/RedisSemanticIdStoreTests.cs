using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Redis;

namespace Recsys.Store.Tests;

public sealed class RedisSemanticIdStoreTests(RedisFixture fixture) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly string _version = $"v-{Guid.NewGuid():N}";
    private readonly RedisSemanticIdStore _store = fixture.Store;

    [RedisFact]
    public async Task A_published_table_is_found_both_ways()
    {
        var items = Tables.Random(1234, 1);
        Assert.False(await _store.IsPublishedAsync(_version, Cancel));
        await _store.PublishAsync(_version, items, Cancel);
        Assert.True(await _store.IsPublishedAsync(_version, Cancel));
        for (int item = 0; item < items.Count; item += 7)
        {
            Assert.Equal(items.SemanticIds[item], await _store.FindAsync(_version, items.Ids[item], Cancel));
        }

        Assert.Null(await _store.FindAsync(_version, "nobody", Cancel));
    }

    [RedisFact]
    public async Task Items_by_any_prefix_are_those_that_a_full_scan_finds_in_order_of_their_ids()
    {
        var items = Tables.Random(500, 2);
        await _store.PublishAsync(_version, items, Cancel);
        foreach (var id in items.SemanticIds.Take(60).Append(Tables.Id("3-299-4#0")))
        {
            for (int length = 1; length <= 3; length++)
            {
                ushort[] prefix = id.Codes()[..length];
                var expected = Enumerable.Range(0, items.Count)
                    .Where(item => items.SemanticIds[item].Codes().Take(length).SequenceEqual(prefix))
                    .OrderBy(item => items.SemanticIds[item]).Select(item => items.Ids[item]).ToList();
                Assert.Equal(expected, await _store.ItemsAsync(_version, prefix, 1000, Cancel));
                Assert.Equal(expected.Take(2), await _store.ItemsAsync(_version, prefix, 2, Cancel));
            }
        }

        Assert.Empty(await _store.ItemsAsync(_version, new ushort[] { 1, 2, 3, 4 }, 5, Cancel));
    }

    [RedisFact]
    public async Task Hundreds_of_writers_at_once_get_distinct_dense_tokens()
    {
        var items = Tables.Random(100, 3);
        await _store.PublishAsync(_version, items, Cancel);
        await using var second = await RedisConnections.ConnectAsync(fixture.Options);
        var other = new RedisSemanticIdStore(second, fixture.Options);
        ushort[] codes = items.SemanticIds[0].Codes();
        int taken = items.SemanticIds.Count(id => id.SameCodes(items.SemanticIds[0]));

        // Every item is assigned by both writers at once.
        Task<Assignment> Assign(int draw) =>
            (draw % 2 == 0 ? _store : other).AssignAsync(_version, $"new {draw / 2}", "", codes, default, Cancel);
        var assigned = await Task.WhenAll(Enumerable.Range(0, 600).Select(Assign));

        Assert.Equal(300, assigned.Count(assignment => !assignment.Existing));
        Assert.Equal(Enumerable.Range(taken, 300), assigned.Select(assignment => (int)assignment.Id.Collision).Distinct().Order());
        for (int item = 0; item < 300; item++)
        {
            Assert.Equal(assigned[2 * item].Id, assigned[(2 * item) + 1].Id);
        }

        Assert.Equal(taken + 300, (await _store.ItemsAsync(_version, codes, 1000, Cancel)).Count);
    }

    [RedisFact]
    public async Task An_item_encoded_twice_keeps_its_semantic_id_even_with_other_codes()
    {
        await _store.PublishAsync(_version, Tables.Random(10, 4), Cancel);
        var first = await _store.AssignAsync(_version, "new", "New", new ushort[] { 3, 7, 1 }, default, Cancel);
        var second = await _store.AssignAsync(_version, "new", "New", new ushort[] { 0, 0, 0 }, default, Cancel);
        Assert.Equal((Tables.Id("3-7-1#0"), false), (first.Id, first.Existing));
        Assert.Equal((first.Id, true), (second.Id, second.Existing));
        var published = await _store.AssignAsync(_version, "item 5", "", new ushort[] { 0, 0, 0 }, default, Cancel);
        Assert.Equal((Tables.Random(10, 4).SemanticIds[5], true), (published.Id, published.Existing));
    }

    [RedisFact]
    public async Task Appended_items_come_in_order_in_pages_and_only_once()
    {
        await _store.PublishAsync(_version, Tables.Random(10, 5), Cancel);
        Assert.Equal((0, null), await Page(null));
        await Assign(0); // knows the codebook now, so that the others go out in order
        await Task.WhenAll(Enumerable.Range(1, 1004).Select(Assign));

        var first = await _store.AppendedAsync(_version, null, Cancel);
        var second = await _store.AppendedAsync(_version, first.Position, Cancel);
        Assert.Equal(Enumerable.Range(0, 1005).Select(item => $"n{item}"), first.Items.Concat(second.Items).Select(item => item.ItemId));
        Assert.Equal(RedisSemanticIdStore.PageSize, first.Items.Count);
        Assert.Equal("Title \"1004\" é", second.Items[^1].Title);
        Assert.Equal((0, second.Position), await Page(second.Position));

        Task<Assignment> Assign(int item) =>
            _store.AssignAsync(_version, $"n{item}", $"Title \"{item}\" é", new ushort[] { 1, 1, (ushort)(item % 5) }, default, Cancel);

        async Task<(int, string?)> Page(string? after)
        {
            var page = await _store.AppendedAsync(_version, after, Cancel);
            return (page.Items.Count, page.Position);
        }
    }

    [RedisFact]
    public async Task Publishing_again_changes_nothing_and_keeps_what_was_appended()
    {
        var items = Tables.Random(300, 6);
        await _store.PublishAsync(_version, items, Cancel);
        var assigned = await _store.AssignAsync(_version, "new", "", items.SemanticIds[0].Codes(), default, Cancel);
        string before = await Dump();
        await _store.PublishAsync(_version, items, Cancel);
        await _store.RecoverAsync(_version, items, [new AppendedItem("new", assigned.Id, "")], Cancel);
        Assert.Equal(before, await Dump());
        var next = await _store.AssignAsync(_version, "newer", "", items.SemanticIds[0].Codes(), default, Cancel);
        Assert.Equal(assigned.Id.Collision + 1, next.Id.Collision);

        Task<string> Dump() => RedisDump.OfAsync(fixture.Connection!, _version);
    }

    [RedisFact]
    public async Task A_publication_interrupted_at_any_batch_and_repeated_equals_a_fresh_one()
    {
        var items = Tables.Random(260, 7);
        var small = new RedisSemanticIdStore(fixture.Connection!, fixture.Options with { PublishBatch = 20 });
        await small.PublishAsync(_version, items, Cancel);
        string fresh = await RedisDump.OfAsync(fixture.Connection!, _version);
        for (int stop = 1; stop <= 14; stop++)
        {
            string version = $"{_version}-{stop}";
            int passed = 0;
            using (FaultPoints.Arm(_ =>
            {
                if (++passed == stop)
                {
                    throw new IOException("armed");
                }
            }))
            {
                await Assert.ThrowsAsync<IOException>(() => small.PublishAsync(version, items, Cancel));
            }

            Assert.False(await small.IsPublishedAsync(version, Cancel));
            var codes = new ushort[] { 0, 0, 0 };
            await Refusal.IsAsync(Fault.FailedPrecondition, () => small.AssignAsync(version, "x", "", codes, default, Cancel));
            await small.PublishAsync(version, items, Cancel);
            Assert.Equal(fresh, await RedisDump.OfAsync(fixture.Connection!, version));
        }
    }

    [RedisFact]
    public async Task Another_table_under_the_same_version_is_refused()
    {
        await _store.PublishAsync(_version, Tables.Random(50, 8), Cancel);
        var error = await Assert.ThrowsAsync<CatalogException>(() => _store.PublishAsync(_version, Tables.Random(50, 9), Cancel));
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
    }

    [RedisFact]
    public async Task Codes_that_the_codebook_lacks_are_refused_and_nothing_is_written()
    {
        await _store.PublishAsync(_version, Tables.Random(10, 10), Cancel);
        string before = await RedisDump.OfAsync(fixture.Connection!, _version);
        foreach (ushort[] codes in new ushort[][] { [], [1], [4, 0, 0], [0, 300, 0], [0, 0, 0, 0] })
        {
            await Refusal.IsAsync(Fault.InvalidArgument, () => _store.AssignAsync(_version, "x", "", codes, default, Cancel));
        }

        await Assert.ThrowsAsync<CatalogException>(() => _store.AssignAsync(_version, "", "", new ushort[] { 0, 0, 0 }, default, Cancel));
        await Assert.ThrowsAsync<CatalogException>(() => _store.ItemsAsync(_version, ReadOnlyMemory<ushort>.Empty, 5, Cancel));
        await Assert.ThrowsAsync<CatalogException>(() => _store.AppendedAsync(_version, "yesterday", Cancel));
        Assert.Equal(before, await RedisDump.OfAsync(fixture.Connection!, _version));
    }

    [RedisFact]
    public async Task The_last_collision_token_is_65535_and_the_next_item_is_refused()
    {
        var codes = new ushort[] { 1, 2, 3 };
        await _store.PublishAsync(
            _version, new ItemTable(["only"], [new SemanticId(codes, ushort.MaxValue - 1)], [""], Tables.Sizes), Cancel);
        Assert.Equal(ushort.MaxValue, (await _store.AssignAsync(_version, "last", "", codes, default, Cancel)).Id.Collision);
        await Refusal.IsAsync(Fault.ResourceExhausted, () => _store.AssignAsync(_version, "too many", "", codes, default, Cancel));
        Assert.Null(await _store.FindAsync(_version, "too many", Cancel));
    }

    [RedisFact]
    public async Task A_dropped_version_is_gone_and_can_be_published_again()
    {
        await _store.PublishAsync(_version, Tables.Random(50, 11), Cancel);
        await _store.AssignAsync(_version, "x", "", new ushort[] { 0, 0, 0 }, default, Cancel);
        await _store.DropAsync(_version, Cancel);
        Assert.Equal("", await RedisDump.OfAsync(fixture.Connection!, _version));
        Assert.False(await _store.IsPublishedAsync(_version, Cancel));
        await _store.PublishAsync(_version, Tables.Random(40, 12), Cancel);
        Assert.True(await _store.IsPublishedAsync(_version, Cancel));
    }

    [RedisFact]
    public async Task Operations_can_be_cancelled()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.FindAsync(_version, "x", source.Token));
    }

    [Fact]
    public async Task An_operation_under_way_can_be_cancelled()
    {
        // Nobody answers: the operation waits for its reply until it is cancelled, and then does not wait for its timeout.
        var options = new RedisOptions("127.0.0.1:1") { Timeout = TimeSpan.FromMinutes(5) };
        await using var nowhere = await RedisConnections.ConnectAsync(options);
        using var source = new CancellationTokenSource();
        var find = new RedisSemanticIdStore(nowhere, options).FindAsync(_version, "x", source.Token);
        Assert.False(find.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => find);
    }

    [RedisFact]
    public async Task Stores_with_other_prefixes_share_nothing()
    {
        var other = new RedisSemanticIdStore(fixture.Connection!, fixture.Options with { Prefix = $"{_version}.b:" });
        var mine = new RedisSemanticIdStore(fixture.Connection!, fixture.Options with { Prefix = $"{_version}.a:" });
        await mine.PublishAsync("v", Tables.Random(50, 1), Cancel);
        await other.PublishAsync("v", Tables.Random(40, 2), Cancel);
        Assert.True(await mine.TryActivateAsync(null, "v", Cancel));
        Assert.Null(await other.ActiveAsync(Cancel));
        await mine.AssignAsync("v", "new", "", new ushort[] { 0, 0, 0 }, default, Cancel);
        Assert.Null(await other.FindAsync("v", "new", Cancel));
        await other.DropAsync("v", Cancel);
        Assert.True(await mine.IsPublishedAsync("v", Cancel));
        Assert.Equal("", await RedisDump.OfAsync(fixture.Connection!, "v", $"{_version}.b:"));
    }

    [RedisFact]
    public async Task Keys_belong_to_the_folder_that_came_first()
    {
        var store = new RedisSemanticIdStore(fixture.Connection!, fixture.Options with { Prefix = $"{_version}.c:" });
        Assert.Equal("one", await store.ClaimAsync("one", Cancel));
        Assert.Equal("one", await store.ClaimAsync("two", Cancel));
        Assert.Equal("one", await store.ClaimAsync("one", Cancel));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a{b}:")]
    [InlineData("a b:")]
    public void A_prefix_that_would_spoil_the_hash_tags_is_refused(string prefix) =>
        Assert.Contains(
            "prefix is", Assert.Throws<CatalogException>(() => (new RedisOptions("localhost") { Prefix = prefix }).Validate()).Message);

    [Fact]
    public async Task A_redis_that_is_not_there_is_reported_with_endpoint_and_seconds()
    {
        var options = new RedisOptions("127.0.0.1:1") { Timeout = TimeSpan.FromMilliseconds(200) };
        await using var nowhere = await RedisConnections.ConnectAsync(options);
        var error = await Assert.ThrowsAsync<CatalogException>(() => new RedisSemanticIdStore(nowhere, options).ActiveAsync(Cancel));
        Assert.Equal(Fault.Unavailable, error.Fault);
        Assert.Matches(@"127\.0\.0\.1:1 did not answer active in \d+\.\d s \(not connected", error.Message);
    }

    [Fact]
    public async Task Options_out_of_range_are_listed_together()
    {
        var options = new RedisOptions(" ") { PublishBatch = 0, Timeout = TimeSpan.FromDays(1) };
        var error = await Assert.ThrowsAsync<CatalogException>(() => RedisConnections.ConnectAsync(options));
        Assert.All(
            new[] { "connection is ' '", "publish_batch is 0, allowed is 1 to 2000", "timeout is 1.00:00:00" },
            part => Assert.Contains(part, error.Message));
    }

    [Fact]
    public async Task A_connection_string_that_is_not_understood_is_refused()
    {
        var error = await Assert.ThrowsAsync<CatalogException>(() => RedisConnections.ConnectAsync(new RedisOptions("localhost,sll=true")));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains("sll", error.Message);
    }
}
