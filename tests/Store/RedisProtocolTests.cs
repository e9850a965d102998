using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Redis;

namespace Recsys.Store.Tests;

/// <summary>What the client of Redis does that one would not guess, on all that the store asks of it.</summary>
public sealed class RedisProtocolTests(RedisFixture fixture) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly string _version = $"v-{Guid.NewGuid():N}";

    /// <summary>The client takes RESP3 where the server has it, and then answers of raw commands have another shape.</summary>
    [RedisTheory]
    [InlineData("resp2")]
    [InlineData("resp3")]
    public async Task Every_answer_is_read_alike_over_both_protocols(string protocol)
    {
        var options = new RedisOptions($"!{fixture.Options.Connection},protocol={protocol}") { Prefix = $"{_version}:" };
        await using var connection = await RedisConnections.ConnectAsync(options);
        Assert.Equal(protocol, $"{connection.GetServers().Single().Protocol}", ignoreCase: true);
        var store = new RedisSemanticIdStore(connection, options);
        var items = Tables.Random(300, 1);
        await store.PublishAsync("v", items, Cancel);
        await store.PublishAsync("v", items, Cancel); // counts what is there
        Assert.Equal(items.SemanticIds[7], await store.FindAsync("v", items.Ids[7], Cancel));
        var codes = items.SemanticIds[7].Codes();
        var same = Enumerable.Range(0, items.Count).Where(item => items.SemanticIds[item].SameCodes(items.SemanticIds[7]))
            .OrderBy(item => items.SemanticIds[item]).Select(item => items.Ids[item]).ToList();
        Assert.Equal(same, await store.ItemsAsync("v", codes, 1000, Cancel));
        var assigned = await store.AssignAsync("v", "new", "New", codes, default, Cancel);
        Assert.Equal((same.Count, false), ((int)assigned.Id.Collision, assigned.Existing));
        Assert.Equal([new AppendedItem("new", assigned.Id, "New")], (await store.AppendedAsync("v", null, Cancel)).Items);
        Assert.True(await store.TryActivateAsync(null, "v", Cancel));
        Assert.Equal("v", await store.ActiveAsync(Cancel));
        Assert.Equal("folder", await store.ClaimAsync("folder", Cancel));
    }

    /// <summary>The client compares and hashes its values by number: "7", "07" and "7.0"
    /// would be one key of a dictionary of them.</summary>
    [RedisFact]
    public async Task Item_ids_that_are_the_same_number_are_items_of_their_own()
    {
        string[] published = ["7", "07", "7.0", " 7", "100000000000000000001"];
        string[] appended = ["7e0", "+7", "7.00", "007", "100000000000000000002"];
        var ids = Enumerable.Range(0, published.Length).Select(item => new SemanticId([1, 2, 3], (ushort)item)).ToArray();
        var items = new ItemTable(published, ids, published, Tables.Sizes);
        var store = new RedisSemanticIdStore(fixture.Connection!, fixture.Options);
        await store.PublishAsync(_version, items, Cancel);
        var assigned = new List<AppendedItem>();
        foreach (string id in appended)
        {
            Assert.Null(await store.FindAsync(_version, id, Cancel));
            var given = await store.AssignAsync(_version, id, id, new ushort[] { 1, 2, 3 }, default, Cancel);
            assigned.Add(new AppendedItem(id, given.Id, id));
        }

        Assert.Equal([.. published, .. appended], await store.ItemsAsync(_version, new ushort[] { 1, 2, 3 }, 100, Cancel));
        Assert.Equal(
            Enumerable.Range(0, 10).Select(item => (ushort)item),
            ids.Concat(assigned.Select(item => item.SemanticId)).Select(id => id.Collision));
        foreach (var (id, semanticId) in published.Zip(ids).Concat(assigned.Select(item => (item.ItemId, item.SemanticId))))
        {
            Assert.Equal(semanticId, await store.FindAsync(_version, id, Cancel));
        }

        // A stream that was lost is filled again with each of them.
        Assert.True(await fixture.Connection!.GetDatabase().KeyDeleteAsync(new VersionKeys(fixture.Options.Prefix, _version).Appended));
        await store.RecoverAsync(_version, items, assigned, Cancel);
        Assert.Equal(assigned, (await store.AppendedAsync(_version, null, Cancel)).Items);
    }
}
