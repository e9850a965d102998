using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Recsys.Catalog;

namespace Recsys.Store.Tests;

public sealed class PrivateRedisTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Folder => _folder["redis"];

    [RedisFact]
    public async Task All_who_start_it_share_one_server_and_the_last_to_leave_ends_it()
    {
        var users = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PrivateRedis.StartAsync(Folder)));
        Assert.Single(users.Select(user => user.ConnectionString).Distinct());
        int pid = Pid();
        foreach (var user in users[1..])
        {
            await user.DisposeAsync();
            await user.DisposeAsync();
            Assert.True(Lives(pid));
        }

        await users[0].DisposeAsync();
        Assert.False(Lives(pid));
    }

    [RedisFact]
    public async Task Nobody_else_reads_the_password_and_without_it_nothing_answers()
    {
        await using var redis = await PrivateRedis.StartAsync(Folder);
        foreach (string secret in new[] { "password", "redis.conf" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, secret)));
        }

        using var stranger = await RedisSemanticIdStore.OpenAsync(new RedisOptions($"127.0.0.1:{redis.Port}") { Patience = TimeSpan.Zero });
        Assert.Equal(Fault.Unavailable, (await Assert.ThrowsAsync<CatalogException>(() => stranger.ActiveAsync(CancellationToken.None))).Fault);
    }

    [RedisFact]
    public async Task What_was_written_is_there_after_an_orderly_end_and_another_start()
    {
        await using (var first = await PrivateRedis.StartAsync(Folder))
        {
            using var store = await RedisSemanticIdStore.OpenAsync(new RedisOptions(first.ConnectionString));
            await store.PublishAsync("v1", Tables.Random(10, 1), CancellationToken.None);
        }

        await using var second = await PrivateRedis.StartAsync(Folder);
        using var again = await RedisSemanticIdStore.OpenAsync(new RedisOptions(second.ConnectionString));
        Assert.True(await again.IsPublishedAsync("v1", CancellationToken.None));
    }

    [RedisFact]
    public async Task Files_of_a_server_that_was_killed_with_all_its_users_do_not_mislead_the_next_start()
    {
        int pid;
        await using (await PrivateRedis.StartAsync(Folder))
        {
            pid = Pid();
        }

        // A stale pid that belongs to somebody else now, and a port that a stranger listens on.
        File.WriteAllText(Path.Combine(Folder, "redis.pid"), $"{Environment.ProcessId}\n");
        int port = int.Parse(File.ReadAllText(Path.Combine(Folder, "port")));
        var stranger = new TcpListener(IPAddress.Loopback, port);
        stranger.Start();
        await using (var redis = await PrivateRedis.StartAsync(Folder))
        {
            Assert.NotEqual(port, redis.Port);
            Assert.NotEqual(pid, Pid());
        }

        stranger.Stop();
    }

    [RedisFact]
    public async Task A_server_whose_last_user_was_killed_ends_by_itself()
    {
        // A process of its own holds the users' lock, as another user does, and is then killed.
        var redis = await PrivateRedis.StartAsync(Folder);
        int pid = Pid();
        string held = _folder["held"];
        using var user = Process.Start("flock", ["--shared", Path.Combine(Folder, "users.lock"), "sh", "-c", $"touch {held}; exec sleep 600"]);
        await Until(() => File.Exists(held));
        await redis.DisposeAsync();
        Assert.True(Lives(pid));
        user.Kill(entireProcessTree: true);
        await Until(() => !Lives(pid));
    }

    [RedisFact]
    public async Task A_damaged_append_only_file_is_reported_with_the_log_and_what_to_do()
    {
        await using (var first = await PrivateRedis.StartAsync(Folder))
        {
            using var store = await RedisSemanticIdStore.OpenAsync(new RedisOptions(first.ConnectionString));
            await store.PublishAsync("v1", Tables.Random(100, 1), CancellationToken.None);
        }

        string log = Directory.GetFiles(Path.Combine(Folder, "appendonlydir"), "*.incr.aof").Single();
        byte[] bytes = File.ReadAllBytes(log);
        bytes.AsSpan(bytes.Length / 2, 64).Fill((byte)'?');
        File.WriteAllBytes(log, bytes);
        var error = await Assert.ThrowsAsync<CatalogException>(() => PrivateRedis.StartAsync(Folder, new ImpatientTime()));
        Assert.Equal(Fault.Unavailable, error.Fault);
        Assert.Contains("Bad file format", error.Message);
        Assert.Contains("rebuilt from the version folders", error.Message);
    }

    public void Dispose() => _folder.Dispose();

    private int Pid() => int.Parse(File.ReadAllText(Path.Combine(Folder, "redis.pid")));

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    // A process that has ended, though nobody has waited for it yet, has no working directory.
    private static bool Lives(int pid)
    {
        try
        {
            return new DirectoryInfo($"/proc/{pid}/cwd").ResolveLinkTarget(returnFinalTarget: false) is not null;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A clock on which every second lasts a tenth of one.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public override long GetTimestamp() => base.GetTimestamp() * 10;
    }
}
