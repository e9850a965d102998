using System.Diagnostics;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Redis;
using Recsys.Store.Versions;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

public sealed class RecoveryTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly TemporaryFolder _folder = new();
    private PrivateRedis _redis = null!;
    private RedisOptions _options = null!;
    private IConnectionMultiplexer _connection = null!;
    private RedisSemanticIdStore _store = null!;
    private VersionStore _versions = null!;

    public async Task InitializeAsync()
    {
        if (PrivateRedis.FindServer() is not null)
        {
            _redis = await PrivateRedis.StartAsync(_folder["redis"]);
            _versions = new VersionStore(_folder["versions"]);
            _options = new RedisOptions(_redis.Socket) { Timeout = TimeSpan.FromSeconds(60) };
            _connection = await RedisConnections.ConnectAsync(_options);
            _store = new RedisSemanticIdStore(_connection, _options, _versions.NoteActive);
        }
    }

    public async Task DisposeAsync()
    {
        if (_redis is not null)
        {
            await _connection.DisposeAsync();
            await _redis.DisposeAsync();
        }

        _folder.Dispose();
    }

    [RedisFact]
    public async Task After_kill_9_of_redis_everything_answers_as_before_and_goes_on()
    {
        var items = Tables.Random(2000, 1);
        Seal("v1", items);
        await _store.PublishAsync("v1", items, Cancel);
        await _store.TryActivateAsync(null, "v1", Cancel);
        var assigned = new List<SemanticId>();
        for (int round = 0; round < 3; round++)
        {
            for (int item = 0; item < 20; item++)
            {
                assigned.Add((await _store.AssignAsync("v1", $"new {assigned.Count}", "", new ushort[] { 1, 5, 2 }, default, Cancel)).Id);
            }

            string before = await RedisDump.OfAsync(_connection, "v1");
            Kill();

            // The first call after the kill waits for the restart and needs no help.
            Assert.Equal("v1", await _store.ActiveAsync(Cancel));
            Assert.Equal(before, await RedisDump.OfAsync(_connection, "v1"));
        }

        Assert.Equal(Enumerable.Range(0, 60), assigned.Select(id => (int)id.Collision));
    }

    [RedisFact]
    public async Task A_publication_survives_kill_9_of_redis_in_its_middle()
    {
        var items = Tables.Random(20000, 2);
        int batches = 0;
        using (FaultPoints.Arm(_ =>
        {
            if (++batches == 20)
            {
                Kill();
            }
        }))
        {
            await _store.PublishAsync("v1", items, Cancel);
        }

        await _store.PublishAsync("v2", items, Cancel);
        Assert.Equal(await RedisDump.OfAsync(_connection, "v2"), await RedisDump.OfAsync(_connection, "v1"));
    }

    [RedisFact]
    public async Task An_empty_redis_is_filled_from_folder_journal_and_note_and_tokens_go_on_rightly()
    {
        var items = Tables.Random(300, 3);
        Seal("v1", items);
        await _store.PublishAsync("v1", items, Cancel);
        await _store.TryActivateAsync(null, "v1", Cancel);
        for (int item = 0; item < 30; item++)
        {
            float[] vector = Vector(item);
            var assignment = await _store.AssignAsync(
                "v1", $"new {item}", $"Title {item}", items.SemanticIds[item % 4].Codes(), vector, Cancel);
            if (item != 17)
            {
                _versions.Append("v1", new AppendedItem($"new {item}", assignment.Id, $"Title {item}") { Vector = vector });
            }
        }

        // Item 17's writer died between the store and the journal: found in the stream, noted now.
        var report = await StoreRecovery.RunAsync(_versions, _store, null, Cancel);
        Assert.Equal((30, 1, "v1"), (report.Appended, report.Journalled, report.Active));
        string before = await RedisDump.OfAsync(_connection, "v1");

        await FlushAsync();
        Assert.Null(await _store.ActiveAsync(Cancel));
        var codes = items.SemanticIds[0].Codes();
        await Refusal.IsAsync(Fault.FailedPrecondition, () => _store.AssignAsync("v1", "x", "", codes, default, Cancel));
        report = await StoreRecovery.RunAsync(_versions, _store, null, Cancel);
        Assert.Equal((30, 0, "v1"), (report.Appended, report.Journalled, report.Active));
        Assert.Equal(Sorted(before), Sorted(await RedisDump.OfAsync(_connection, "v1")));

        var appended = (await _store.AppendedAsync("v1", null, Cancel)).Items;
        Assert.Equal(30, appended.Count);
        Assert.All(appended.Concat(_versions.Appended("v1")), item => Assert.Equal(
            Vector(int.Parse(item.ItemId[4..], System.Globalization.CultureInfo.InvariantCulture)), item.Vector.ToArray()));

        var next = await _store.AssignAsync("v1", "after", "", codes, default, Cancel);
        var taken = items.SemanticIds.Concat(_versions.Appended("v1").Select(item => item.SemanticId))
            .Where(id => id.SameCodes(items.SemanticIds[0])).Max(id => id.Collision);
        Assert.Equal(taken + 1, next.Id.Collision);

        // Every third item came without.
        static float[] Vector(int item) => item % 3 == 0 ? [] : [item, -0.5f, float.Epsilon, 1e30f];

        // Item 17 is last in the journal and so in the new stream.
        static string Sorted(string dump) => string.Join('\n', dump.Split('\n').Order(StringComparer.Ordinal));
    }

    [RedisFact]
    public async Task A_recovery_interrupted_anywhere_and_repeated_leaves_each_appended_item_once()
    {
        var items = Tables.Random(100, 4);
        Seal("v1", items);
        _versions.Append("v1", Collided(50));
        var small = new RedisSemanticIdStore(_connection, _options with { PublishBatch = 10 });
        string? whole = null;
        for (int stop = 1; stop <= 16; stop++)
        {
            await FlushAsync();
            int passed = 0;
            using (FaultPoints.Arm(_ =>
            {
                if (++passed == stop)
                {
                    throw new IOException("armed");
                }
            }))
            {
                await Assert.ThrowsAsync<IOException>(() => StoreRecovery.RunAsync(_versions, small, ["v1"], Cancel));
            }

            await StoreRecovery.RunAsync(_versions, small, ["v1"], Cancel);
            string dump = await RedisDump.OfAsync(_connection, "v1");
            Assert.Equal(whole ??= dump, dump);
            var page = await small.AppendedAsync("v1", null, Cancel);
            Assert.Equal(Enumerable.Range(0, 50).Select(item => $"n{item}"), page.Items.Select(item => item.ItemId));
        }
    }

    [RedisTheory]
    [InlineData("ids")]
    [InlineData("ids:3")]
    [InlineData("codes:2")]
    [InlineData("appended")]
    public async Task Any_key_that_is_lost_of_a_published_version_is_filled_again(string key)
    {
        var items = Tables.Random(200, 5);
        Seal("v1", items);
        _versions.Append("v1", Collided(30));
        await StoreRecovery.RunAsync(_versions, _store, ["v1"], Cancel);
        string whole = await RedisDump.OfAsync(_connection, "v1");
        await _connection.GetDatabase().KeyDeleteAsync($"recsys:{{v1}}:{key}");
        Assert.NotEqual(whole, await RedisDump.OfAsync(_connection, "v1"));
        await StoreRecovery.RunAsync(_versions, _store, ["v1"], Cancel);

        // A stream that was whole may hold an item twice then: readers pass over what they have.
        Assert.Equal(whole.Split('\n').Distinct(), (await RedisDump.OfAsync(_connection, "v1")).Split('\n').Distinct());
        Assert.Equal(30, items.Append((await _store.AppendedAsync("v1", null, Cancel)).Items).Count - items.Count);
    }

    [RedisFact]
    public async Task A_version_with_appended_items_is_activated_again_from_its_folder_and_journal()
    {
        var items = Tables.Random(50, 6);
        Seal("v1", items);
        Seal("v2", Tables.Random(60, 7));
        await _store.PublishAsync("v1", items, Cancel);
        await _store.TryActivateAsync(null, "v1", Cancel);
        var assigned = await _store.AssignAsync("v1", "new", "", items.SemanticIds[0].Codes(), default, Cancel);
        _versions.Append("v1", new AppendedItem("new", assigned.Id, ""));
        await _store.PublishAsync("v2", Tables.Random(60, 7), Cancel);
        Assert.True(await _store.TryActivateAsync("v1", "v2", Cancel));

        // As Activate and Rollback do.
        await _store.RecoverAsync("v1", _versions.Open("v1").Items, _versions.Appended("v1"), Cancel);
        Assert.True(await _store.TryActivateAsync("v2", "v1", Cancel));
        Assert.Equal(assigned.Id, await _store.FindAsync("v1", "new", Cancel));
        Assert.Equal("new", Assert.Single((await _store.AppendedAsync("v1", null, Cancel)).Items).ItemId);
    }

    [RedisFact]
    public async Task The_table_of_a_build_before_makes_way_and_that_build_writes_nothing_from_then_on()
    {
        var items = Tables.Random(200, 8);
        Seal("v1", items);
        await StoreRecovery.RunAsync(_versions, _store, ["v1"], Cancel);
        string fresh = await RedisDump.OfAsync(_connection, "v1");
        var database = _connection.GetDatabase();
        string marker = (await database.StringGetAsync("recsys:{v1}:published"))!;
        await FlushAsync();

        // As such a build left it, with an item that its writer had not noted in the journal yet.
        string[] former = ["recsys:{v1}:ids", "recsys:{v1}:codes", "recsys:{v1}:next"];
        await database.HashSetAsync(former[0], [.. items.Ids.Select((item, at) => new HashEntry(item, $"{items.SemanticIds[at]}"))]);
        await database.SortedSetAddAsync(former[1], "0003012b0004#0000 late", 0);
        await database.HashSetAsync(former[2], "3-299-4", 1);
        await database.StreamAddAsync(
            "recsys:{v1}:appended", [new("item", "late"), new("id", "3-299-4#0"), new("title", "T"), new("vector", "")]);
        await database.StringSetAsync("recsys:{v1}:published", marker);
        ushort[] codes = Tables.Id("3-299-4").Codes();
        Assert.False(await _store.IsPublishedAsync("v1", Cancel));
        await Refusal.IsAsync(Fault.FailedPrecondition, () => _store.AssignAsync("v1", "x", "", codes, default, Cancel));

        // Journal without it, as where the writer notes it a moment after it was read.
        await _store.RecoverAsync("v1", items, [], Cancel);
        Assert.True(await _store.IsPublishedAsync("v1", Cancel));
        Assert.Equal(Tables.Id("3-299-4#0"), await _store.FindAsync("v1", "late", Cancel));
        Assert.Equal(1, (await _store.AssignAsync("v1", "later", "", codes, default, Cancel)).Id.Collision);
        Assert.Equal(2, (await _store.AppendedAsync("v1", null, Cancel)).Items.Count);
        string[] now = (await RedisDump.OfAsync(_connection, "v1")).Split('\n');
        Assert.Empty(fresh.Split('\n').Except(now));
        Assert.False(await database.KeyExistsAsync(former[1]) || await database.KeyExistsAsync(former[2]));

        // What that build asks first, whatever it is about to write.
        var refused = await Assert.ThrowsAsync<RedisServerException>(() => database.HashGetAsync(former[0], "x"));
        Assert.StartsWith("WRONGTYPE", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Appended items that share their codes.</summary>
    private static AppendedItem[] Collided(int count) =>
        [.. Enumerable.Range(0, count).Select(item => new AppendedItem($"n{item}", new SemanticId([3, 299, 4], (ushort)item), $"T{item}"))];

    private void Seal(string version, ItemTable items)
    {
        using var writer = _versions.Begin(version);
        writer.WriteItems(items);
        writer.Seal(new VersionDescription("tiny", 1, Tables.Sizes, items.Count, new Dictionary<string, double>()));
    }

    private void Kill()
    {
        using var process = Process.GetProcessById(int.Parse(File.ReadAllText(_folder["redis/redis.pid"])));
        process.Kill();
        process.WaitForExit();
    }

    private Task FlushAsync() => _connection.GetDatabase().ScriptEvaluateAsync("redis.call('FLUSHALL')");
}
