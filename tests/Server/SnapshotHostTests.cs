using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Server.Serving;

namespace Recsys.Server.Tests;

public sealed class SnapshotHostTests : IDisposable
{
    private readonly FakeFolders _folders = new()
    {
        Tables = { ["v1"] = SnapshotTests.Of("a", "b"), ["v2"] = SnapshotTests.Of("a", "b", "c") },
    };

    private readonly FakeIds _ids = new() { PageSize = 2 };
    private readonly FakeLive _live = new();
    private readonly FakeInteractions _interactions = new();
    private readonly StoppedClock _clock = new();
    private readonly RecordedLog<SnapshotHost> _log = new();
    private readonly SnapshotHost _host;

    public SnapshotHostTests() => _host = new SnapshotHost(_folders, _ids, _live, _interactions, [_folders], _clock, _log);

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Without_an_active_version_nothing_is_handed_out()
    {
        await _host.FollowAsync(default);
        Assert.Null(_host.Serving);
        Assert.Equal(Fault.FailedPrecondition, Assert.Throws<CatalogException>(_host.Acquire).Fault);
    }

    /// <summary>As where a port is taken on a busy machine: what is told must be the port, not the cancellation.</summary>
    [Fact]
    public async Task A_host_that_stops_before_it_has_begun_ends_without_a_fault()
    {
        await _host.StartAsync(new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _host.ExecuteTask!);
        await _host.Ended;
    }

    [Fact]
    public async Task The_stream_is_read_to_its_end_into_one_table_and_one_set_of_parts()
    {
        _ids.Stream.AddRange(Enumerable.Range(0, 9).Select(i => SnapshotTests.Item($"n{i}", i)));
        _ids.Active = "v1";
        await _host.FollowAsync(default);
        using var lease = _host.Acquire();
        Assert.Equal(11, lease.Snapshot.Items.Count);
        Assert.Equal([2, 11], _folders.Parts.Select(part => part.Items.Count)); // not one a page
        Assert.Equal(11, lease.Snapshot.Find<FakePart>()!.Items.Count);
    }

    [Fact]
    public async Task Parts_of_appended_items_go_with_the_last_request_that_uses_them()
    {
        _ids.Active = "v1";
        await _host.FollowAsync(default);
        for (int i = 0; i < 20; i++)
        {
            _ids.Stream.Add(SnapshotTests.Item($"n{i}", i));
            await _host.FollowAsync(default);
            await _host.FollowAsync(default); // nothing new: nothing made
        }

        Assert.Equal(21, _folders.Parts.Count);
        Assert.Equal([.. Enumerable.Repeat(1, 19), 0], _folders.Parts.Skip(1).Select(part => part.Disposed));
        Assert.Equal(0, _folders.Parts[0].Disposed); // the version's own
        var lease = _host.Acquire();
        _ids.Active = "v2";
        _ids.Stream.Clear();
        await _host.FollowAsync(default);
        Assert.Equal("v2", _host.Serving);
        Assert.Equal(("v1", 0, 0), (lease.Snapshot.Version, _folders.Parts[0].Disposed, _folders.Parts[20].Disposed));
        lease.Dispose();
        Assert.Equal((1, 1), (_folders.Parts[0].Disposed, _folders.Parts[20].Disposed));
        _host.Dispose();
        Assert.All(_folders.Parts, part => Assert.Equal(1, part.Disposed));
    }

    [Fact]
    public async Task A_damaged_stream_entry_is_told_once_and_the_items_before_it_are_served()
    {
        _ids.Stream.AddRange(Enumerable.Range(0, 5).Select(i => SnapshotTests.Item($"n{i}", i)));
        _ids.Damaged = 3;
        _ids.Active = "v1";
        for (int poll = 0; poll < 10; poll++)
        {
            await _host.FollowAsync(default);
        }

        Assert.Equal("v1", _host.Serving);
        Assert.Equal(4, Items()); // the page before the damaged one
        Assert.Equal(1, _log.Lines.Count(line => line.Event == "AppendedRefused"));
        Assert.DoesNotContain(_log.Lines, line => line.Event == "VersionRefused");
        int read = _ids.PagesRead;
        _clock.Now += SnapshotHost.RetryDamaged;
        await _host.FollowAsync(default);
        Assert.Equal((read + 1, 2), (_ids.PagesRead, _log.Lines.Count(line => line.Event == "AppendedRefused")));

        _ids.Damaged = -1;
        _clock.Now += SnapshotHost.RetryDamaged;
        await _host.FollowAsync(default);
        Assert.Equal(7, Items());

        int Items()
        {
            using var lease = _host.Acquire();
            return lease.Snapshot.Items.Count;
        }
    }

    [Fact]
    public async Task A_damaged_version_is_told_once_in_plain_words_and_tried_again_after_a_while()
    {
        _ids.Active = "v9";
        for (int poll = 0; poll < 5; poll++)
        {
            await _host.FollowAsync(default);
        }

        Assert.Equal("version v9 was not swapped in, no version goes on serving", Assert.Single(_log.Lines).Text);
        Assert.Equal(1, _folders.Opened);
        _clock.Now += SnapshotHost.RetryDamaged;
        _folders.Tables["v9"] = SnapshotTests.Of("z");
        await _host.FollowAsync(default);
        Assert.Equal("v9", _host.Serving);
    }

    [Fact]
    public async Task Live_attributes_are_in_what_serves_through_appends_and_swaps_and_those_of_later_items_when_they_come()
    {
        _ids.Active = "v1";
        _live.Stream.AddRange([Stock("a", "1"), Stock("c", "3"), Stock("n0", "4")]);
        await _host.FollowAsync(default);
        Assert.Equal("a 1, b -", Said());
        int parts = _folders.Parts.Count;
        await _host.FollowAsync(default); // nothing new: nothing made
        Assert.Equal(parts, _folders.Parts.Count);

        _live.Stream.AddRange([Stock("b", "2"), Stock("a", null, 1)]);
        _ids.Stream.Add(SnapshotTests.Item("n0", 0));
        await _host.FollowAsync(default);
        Assert.Equal("a -, b 2, n0 4", Said());
        Assert.Equal(parts + 1, _folders.Parts.Count);

        _ids.Stream.Clear();
        _ids.Active = "v2";
        await _host.FollowAsync(default);
        Assert.Equal("a -, b 2, c 3", Said());

        // A store that lost something is no reason to sell what is sold out.
        _live.Stream.RemoveAll(value => value.ItemId == "b");
        _live.Stream.Add(Stock("c", "4", 9));
        _live.Forgotten = true;
        await _host.FollowAsync(default);
        Assert.Equal("a -, b 2, c 4", Said());
    }

    [Fact]
    public async Task Live_attributes_that_cannot_be_read_are_told_once_and_keep_nothing_else_from_serving()
    {
        _ids.Active = "v1";
        _live.Stream.Add(Stock("a", "1"));
        _live.Throws = CatalogException.Damaged("torn");
        await _host.FollowAsync(default);
        _ids.Stream.Add(SnapshotTests.Item("n0", 0));
        await _host.FollowAsync(default);
        Assert.Equal("a -, b -, n0 -", Said());
        Assert.Single(_log.Lines, line => line.Event == "LiveRefused");
        _live.Throws = null;
        _clock.Now += SnapshotHost.RetryDamaged;
        await _host.FollowAsync(default);
        Assert.Equal("a 1, b -, n0 -", Said());
    }

    [Fact]
    public async Task What_comes_for_the_active_version_is_served_while_a_new_one_is_damaged()
    {
        _ids.Active = "v1";
        await _host.FollowAsync(default);
        _ids.Active = "v9";
        _ids.Stream.Add(SnapshotTests.Item("n0", 0));
        _live.Stream.Add(Stock("n0", "5"));
        await _host.FollowAsync(default);
        Assert.Equal(("v1", "a -, b -, n0 5"), (_host.Serving, Said()));
        using (var lease = _host.Acquire())
        {
            Assert.True(lease.Stale);
        }

        _ids.Active = "v1";
        await _host.FollowAsync(default);
        using var fresh = _host.Acquire();
        Assert.False(fresh.Stale);
    }

    [Fact]
    public async Task A_silent_store_is_told_once_until_it_answers_again()
    {
        _ids.Active = "v1";
        await _host.FollowAsync(default);
        foreach (bool silent in new[] { true, true, false, true })
        {
            _ids.Silent = silent;
            await _host.FollowAsync(default);
            using var lease = _host.Acquire();
            Assert.Equal(silent, lease.Stale);
            Assert.Equal("v1", _host.Serving);
        }

        Assert.Equal(2, _log.Lines.Count(line => line.Event == "StoreSilent"));
    }

    [Fact]
    public async Task Leases_taken_while_versions_swap_always_hold_live_parts()
    {
        _ids.Active = "v1";
        await _host.FollowAsync(default);
        using var stop = new CancellationTokenSource();
        using var begun = new CountdownEvent(2);
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (bool first = true; !stop.IsCancellationRequested; first = false)
            {
                using var lease = _host.Acquire();
                Assert.Equal(0, lease.Snapshot.Find<FakePart>()!.Disposed);
                if (first)
                {
                    begun.Signal();
                }
            }
        })).ToArray();
        Assert.True(begun.Wait(TimeSpan.FromMinutes(1)));
        for (int i = 0; i < 300; i++)
        {
            _ids.Active = i % 3 == 0 ? "v2" : "v1";
            _ids.Stream.Add(SnapshotTests.Item($"n{i}", i));
            await _host.FollowAsync(default);
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        _host.Dispose();
        Assert.All(_folders.Parts, part => Assert.Equal(1, part.Disposed));
    }

    [Fact]
    public async Task Interactions_that_a_version_has_not_learned_from_are_learned_once_and_again_by_the_next_version()
    {
        _clock.Now = DateTimeOffset.UnixEpoch.AddHours(1); // the versions are of the beginning of time
        _ids.Active = "v1";
        _interactions.Stream.AddRange([Touched("a", -5), Touched("a", 1), Touched("c", 2, "a", "c", "b"), Touched("b", 3, "a", "x", "a")]);
        await _host.FollowAsync(default);
        await _host.FollowAsync(default);
        Assert.Equal(" a0 b2", Learned());
        _interactions.Stream.Add(Touched("b", 4, "b"));
        await _host.FollowAsync(default);
        Assert.Equal(" a0 b2", Learned()); // it is asked for no more often than models should change
        _clock.Now += SnapshotHost.LearnInterval;
        _live.Stream.Add(Stock("a", "1"));
        await _host.FollowAsync(default);
        Assert.Equal((" a0 b2 b1", "a 1, b -"), (Learned(), Said()));

        _ids.Active = "v2";
        await _host.FollowAsync(default);
        await _host.FollowAsync(default);
        Assert.Equal((" a0 c3 b2 b1", "a 1, b -, c -"), (Learned(), Said()));

        string Learned()
        {
            using var lease = _host.Acquire();
            return lease.Snapshot.Find<FakePart>()!.Learned;
        }
    }

    private static FollowedInteraction Touched(string item, int minute, params string[] before) =>
        new(new Interaction("u", item, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddMinutes(minute)), before);

    /// <summary>The items that serve, each with its live stock.</summary>
    private string Said()
    {
        using var lease = _host.Acquire();
        var items = lease.Snapshot.Items;
        Assert.Same(items, lease.Snapshot.Find<FakePart>()!.Items);
        bool known = items.Attributes.Names.Contains("stock");
        return string.Join(", ", items.Ids.Select((id, item) =>
            $"{id} {(known && items.Attributes.Value(item, "stock") is { Length: > 0 } stock ? stock : "-")}"));
    }

    private static LiveValue Stock(string item, string? text, int second = 0) =>
        new(item, "stock", text, DateTimeOffset.UnixEpoch.AddSeconds(second));
}
