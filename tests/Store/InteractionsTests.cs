using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Redis;
using Recsys.Store.Versions;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

public sealed class InteractionsTests(RedisFixture fixture) : IClassFixture<RedisFixture>, IDisposable
{
    private static readonly CancellationToken Cancel = CancellationToken.None;
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 0, 30, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly string _prefix = $"t{Guid.NewGuid():N}:";

    private RedisInteractions Store =>
        new(fixture.Connection!, fixture.Options with { Prefix = _prefix }, new VersionStore(_folder.Path), new Clock());

    public void Dispose() => _folder.Dispose();

    [RedisFact]
    public async Task Duplicates_and_late_ones_are_told_and_change_no_server_and_all_are_on_disk()
    {
        Interaction[] first = [Event("u", "a", 1), Event("u", "b", 2), Event("v v", "a", 1)];
        Assert.Equal(new RecordedCounts(3, 0, 0), await Store.RecordAsync(first, Cancel));
        Assert.Equal(new RecordedCounts(0, 3, 0), await Store.RecordAsync(first, Cancel));
        Assert.Equal(
            new RecordedCounts(2, 1, 2),
            await Store.RecordAsync(
                [Event("u", "c", 0), Event("v v", "ö", 1), Event("u", "b", 2), Event("u", "a", 3), Event("w", "a", -31 * 86_400)],
                Cancel));
        Assert.Equal(
            ["u a:", "v v a:", "u b:a", "v v ö:a", "u a:a,b"],
            Said((await Store.ReadAsync(null, Now.AddDays(-1), Cancel)).Interactions));
        Assert.Equal(11, new VersionStore(_folder.Path).EventsNoted(DateTimeOffset.MinValue).Count());
    }

    /// <summary>
    /// Whatever the order of the calls, each user's own order is kept: what servers see is what one list by time would give.
    /// </summary>
    [RedisFact]
    public async Task Servers_follow_each_user_in_the_order_of_time_with_the_last_items_before()
    {
        var random = new Random(1);
        Interaction[] all = [.. Enumerable.Range(0, 3000).Select(i => Event($"u{random.Next(7)}", $"i{random.Next(50)}", i))];
        var told = new List<FollowedInteraction>();
        string? position = null;
        foreach (var some in all.Chunk(650))
        {
            Interaction[] shuffled = [.. some];
            random.Shuffle(shuffled);
            Assert.Equal(some.Length, (await Store.RecordAsync(shuffled, Cancel)).New);
            InteractionPage page;
            do
            {
                page = await Store.ReadAsync(position, Now.AddDays(-1), Cancel);
                position = page.Position;
                told.AddRange(page.Interactions);
            }
            while (page.Interactions.Count > 0);
        }

        Assert.Equal(all, told.Select(one => one.Interaction));
        foreach (var (i, one) in told.Index())
        {
            var before = all.Take(i).Where(other => other.UserId == one.Interaction.UserId).TakeLast(RedisInteractions.OfUser);
            Assert.Equal(before.Select(other => other.ItemId), one.Before);
        }
    }

    [RedisFact]
    public async Task An_empty_redis_is_filled_from_the_journal_and_another_left_as_it_is()
    {
        await Store.RecordAsync([.. Enumerable.Range(0, 1200).Select(i => Event($"u{i % 5}", $"i{i}", i))], Cancel);
        string[] said = Said((await Store.ReadAsync(null, Now.AddDays(-1), Cancel)).Interactions);
        Assert.Equal(0, await Store.RecoverAsync(whole: false, Cancel));
        var server = fixture.Connection!.GetServers()[0];
        await fixture.Connection.GetDatabase().KeyDeleteAsync([.. server.Keys(pattern: _prefix + "*")]);
        Assert.Equal(1200, await Store.RecoverAsync(whole: false, Cancel));
        Assert.Equal(said, Said((await Store.ReadAsync(null, Now.AddDays(-1), Cancel)).Interactions));
        Assert.Equal(new RecordedCounts(0, 1, 0), await Store.RecordAsync([Event("u0", "i1195", 1195)], Cancel));
    }

    [RedisFact]
    public async Task What_is_not_on_disk_is_in_no_server()
    {
        using (FaultPoints.Arm(name =>
        {
            if (name == "events.append.torn")
            {
                throw new IOException("armed");
            }
        }))
        {
            await Assert.ThrowsAsync<IOException>(() => Store.RecordAsync([Event("u", "a", 1)], Cancel));
        }

        Assert.Empty((await Store.ReadAsync(null, Now, Cancel)).Interactions);
        Assert.Empty(new VersionStore(_folder.Path).EventsNoted(DateTimeOffset.MinValue));
    }

    [Fact]
    public async Task The_journal_has_a_file_for_each_day_and_is_read_from_a_moment_on()
    {
        var store = new VersionStore(_folder.Path);
        Interaction[] all = [.. Enumerable.Range(0, 60).Select(i => Event("u", $"i{i}", i) with { Noted = Now.AddHours(i - 30) })];
        foreach (var some in all.Chunk(7))
        {
            await store.NoteEventsAsync(some, Cancel);
        }

        Assert.Equal(
            ["events-2026-11-28.jsonl", "events-2026-11-29.jsonl", "events-2026-11-30.jsonl", "events-2026-12-01.jsonl"],
            Directory.GetFiles(_folder["live"], "events-*").Select(Path.GetFileName).Order());
        Assert.Equal(all, store.EventsNoted(DateTimeOffset.MinValue));
        Assert.Equal(all[30..], store.EventsNoted(Now));
    }

    private static Interaction Event(string user, string item, int second) =>
        new(user, item, Now.AddSeconds(second), Now.AddMilliseconds(500));

    private static string[] Said(IEnumerable<FollowedInteraction> followed) =>
        [.. followed.Select(one => $"{one.Interaction.UserId} {one.Interaction.ItemId}:{string.Join(",", one.Before)}")];

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now.AddSeconds(1);
    }
}
