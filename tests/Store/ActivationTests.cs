using Recsys.Catalog;
using Recsys.Store.Redis;

namespace Recsys.Store.Tests;

public sealed class ActivationTests(RedisFixture fixture) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    [RedisFact]
    public async Task Of_many_who_activate_at_once_exactly_one_wins_and_an_active_version_is_not_dropped()
    {
        var noted = new List<string>();
        await using var second = await RedisConnections.ConnectAsync(fixture.Options);
        var store = new RedisSemanticIdStore(fixture.Connection!, fixture.Options, noted.Add);
        var other = new RedisSemanticIdStore(second, fixture.Options);
        for (int version = 0; version < 60; version++)
        {
            await store.PublishAsync($"v{version}", Tables.Random(5, version), Cancel);
        }

        Assert.Null(await store.ActiveAsync(Cancel));
        Assert.False(await store.TryActivateAsync("v1", "v0", Cancel));
        Assert.True(await store.TryActivateAsync(null, "v0", Cancel));
        Assert.Equal(["v0"], noted);

        string before = "v0";
        for (int round = 0; round < 5; round++)
        {
            var candidates = Enumerable.Range(1 + (10 * round), 10).Select(version => $"v{version}").ToArray();
            bool[] won = await Task.WhenAll(
                candidates.Select((version, at) => (at % 2 == 0 ? store : other).TryActivateAsync(before, version, Cancel)));
            string winner = candidates[Array.IndexOf(won, true)];
            Assert.Single(won, result => result);
            Assert.Equal(winner, await other.ActiveAsync(Cancel));
            before = winner;
        }

        Assert.False(await store.TryActivateAsync("v0", "v1", Cancel));
        Assert.True(await store.TryActivateAsync("v0", before, Cancel)); // as after a lost reply
        await Refusal.IsAsync(Fault.FailedPrecondition, () => store.DropAsync(before, Cancel));
        Assert.True(await store.IsPublishedAsync(before, Cancel));
        await Refusal.IsAsync(Fault.FailedPrecondition, () => store.TryActivateAsync(before, "unpublished", Cancel));
    }
}
