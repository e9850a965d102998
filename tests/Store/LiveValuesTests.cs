using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Redis;
using Recsys.Store.Versions;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

public sealed class LiveValuesTests(RedisFixture fixture) : IClassFixture<RedisFixture>, IDisposable
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly TemporaryFolder _folder = new();
    private readonly string _prefix = $"t{Guid.NewGuid():N}:";

    private RedisLiveValues Store => new(fixture.Connection!, fixture.Options with { Prefix = _prefix }, new VersionStore(_folder.Path));

    public void Dispose() => _folder.Dispose();

    [RedisFact]
    public async Task Of_an_item_and_attribute_the_latest_counts_in_whatever_order_and_however_often_they_come()
    {
        LiveValue[] values =
        [
            .. from item in Enumerable.Range(0, 40)
               from name in new[] { "price", "ü stock" }
               from second in Enumerable.Range(0, 5)
               select Value(item, name, second, second % 3 == 2 ? null : $"{item}|{second}\tx\n\"é"),
        ];
        var random = new Random(1);
        int written = 0;
        var follower = await FollowAsync(new Follower());
        for (int round = 0; round < 3; round++)
        {
            random.Shuffle(values);
            foreach (var some in values.Chunk(17))
            {
                written += await Store.WriteAsync(some, Cancel);
                follower = await FollowAsync(follower);
            }
        }

        Assert.InRange(written, 80, values.Length);
        var expected = values.Where(value => value.Time == At(4)).ToHashSet();
        Assert.Equal(80, expected.Count);
        Assert.Equal(expected, (await Store.ReadAsync(null, Cancel)).Values.ToHashSet());
        Assert.Equal(expected, follower.Values.Values.ToHashSet());
        Assert.Equal(2, follower.Whole); // at its start, and once more when the first change shows that others may be forgotten
        Assert.Equal(0, await Store.WriteAsync(values, Cancel));
        Assert.Equal(0, await Store.WriteAsync([], Cancel));
    }

    [RedisFact]
    public async Task Who_is_further_behind_than_the_stream_remembers_reads_everything()
    {
        var follower = await FollowAsync(new Follower());
        for (int second = 0; second < 3; second++)
        {
            await Store.WriteAsync([Value(1, "stock", second, $"{second}")], Cancel);
        }

        follower = await FollowAsync(follower);
        Assert.Equal("2", follower.Values.Values.Single().Text);
        await Store.WriteAsync([Value(2, "stock", 3, "3"), Value(3, "stock", 3, "3")], Cancel);
        var database = fixture.Connection!.GetDatabase();
        await database.StreamTrimAsync($"{_prefix}{{live}}:changes", 1);
        int whole = follower.Whole;
        follower = await FollowAsync(follower);
        Assert.Equal(whole + 1, follower.Whole);
        Assert.Equal(3, follower.Values.Count);

        // After a loss what is there is read anew; that it is less is for the reader to judge.
        await database.KeyDeleteAsync([$"{_prefix}{{live}}:values", $"{_prefix}{{live}}:changes"]);
        Assert.Equal(3, (await FollowAsync(follower)).Values.Count);
        await Store.WriteAsync([Value(4, "stock", 9, "4")], Cancel);
        Assert.Equal("4", (await FollowAsync(follower)).Values.Values.Single().Text);
    }

    [RedisFact]
    public async Task An_empty_redis_is_filled_from_the_journal_and_an_older_one_brought_up_to_it()
    {
        LiveValue[] values = [.. Enumerable.Range(0, 3000).Select(i => Value(i % 700, "stock", i, i % 5 == 0 ? null : $"{i}"))];
        await Store.WriteAsync(values[..2000], Cancel);
        var database = fixture.Connection!.GetDatabase();
        byte[]? old = await database.KeyDumpAsync($"{_prefix}{{live}}:values");
        await Store.WriteAsync(values[2000..], Cancel);
        var expected = (await Store.ReadAsync(null, Cancel)).Values.ToHashSet();
        Assert.Equal(700, expected.Count);

        await database.KeyDeleteAsync([$"{_prefix}{{live}}:values", $"{_prefix}{{live}}:changes"]);
        Assert.Equal(700, await Store.RecoverAsync(Cancel));
        Assert.Equal(expected, (await Store.ReadAsync(null, Cancel)).Values.ToHashSet());
        Assert.Equal(0, await Store.RecoverAsync(Cancel));

        await database.KeyDeleteAsync($"{_prefix}{{live}}:values");
        await database.KeyRestoreAsync($"{_prefix}{{live}}:values", old!);
        Assert.InRange(await Store.RecoverAsync(Cancel), 1, 700);
        Assert.Equal(expected, (await Store.ReadAsync(null, Cancel)).Values.ToHashSet());
    }

    [RedisFact]
    public async Task A_value_that_is_not_on_disk_is_in_no_server()
    {
        using (FaultPoints.Arm(name =>
        {
            if (name == "live.append.torn")
            {
                throw new IOException("armed");
            }
        }))
        {
            await Assert.ThrowsAsync<IOException>(() => Store.WriteAsync([Value(1, "stock", 1, "1")], Cancel));
        }

        Assert.Empty((await Store.ReadAsync(null, Cancel)).Values);
        Assert.Empty(new VersionStore(_folder.Path).LiveNoted());
    }

    [Fact]
    public async Task The_journal_keeps_what_counts_and_does_not_grow_beyond_it()
    {
        var store = new VersionStore(_folder.Path);
        string text = new('x', 1000);
        var expected = new Dictionary<(string, string), LiveValue>();
        for (int round = 0; round < 40; round++)
        {
            LiveValue[] values = [.. Enumerable.Range(0, 300)
                .Select(item => Value(item, "note", 100 - Math.Abs(30 - round), $"{round} {text}"))];
            await store.NoteLiveAsync(values, Cancel);
            foreach (var value in values)
            {
                var known = expected.GetValueOrDefault((value.ItemId, value.Attribute));
                expected[(value.ItemId, value.Attribute)] = known is null || known.Time < value.Time ? value : known;
            }
        }

        string journal = _folder["live/values.jsonl"];
        Assert.InRange(new FileInfo(journal).Length, 300 * 1000, 6 << 20); // 12 MB were noted
        Assert.Equal(expected.Values.ToHashSet(), new VersionStore(_folder.Path).LiveNoted().ToHashSet());

        File.AppendAllText(journal, "{\"item\":\"torn");
        Assert.Equal(300, store.LiveNoted().Count);
        await store.NoteLiveAsync([Value(999, "note", 1, null)], Cancel);
        Assert.Equal(301, new VersionStore(_folder.Path).LiveNoted().Count);
    }

    private async Task<Follower> FollowAsync(Follower follower)
    {
        LivePage page;
        var values = new Dictionary<(string, string), LiveValue>(follower.Values);
        int whole = follower.Whole;
        string? position = follower.Position;
        do
        {
            page = await Store.ReadAsync(position, Cancel);
            position = page.Position;
            if (page.IsAll)
            {
                whole++;
                values.Clear();
            }

            page.Values.ToList().ForEach(value => values[(value.ItemId, value.Attribute)] = value);
        }
        while (page is { IsAll: false, Values.Count: > 0 });
        return new Follower { Values = values, Whole = whole, Position = position };
    }

    private static DateTimeOffset At(int second) => DateTimeOffset.UnixEpoch.AddSeconds(second);

    private static LiveValue Value(int item, string name, int second, string? text) => new($"item {item}", name, text, At(second));

    /// <summary>A server's view: what it has read so far.</summary>
    private sealed record Follower
    {
        public Dictionary<(string, string), LiveValue> Values { get; init; } = [];

        public int Whole { get; init; }

        public string? Position { get; init; }
    }
}
