using System.Diagnostics;
using System.Net.Sockets;
using Recsys.Catalog;
using Recsys.Store.Redis;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

public sealed class PrivateRedisTests : IDisposable
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly TemporaryFolder _folder = new();

    private string Folder => _folder["redis"];

    private RedisOptions Options => new(Path.Combine(Folder, "redis.sock")) { Timeout = TimeSpan.FromSeconds(60) };

    [RedisFact]
    public async Task All_who_start_it_share_one_server_until_the_last_has_left()
    {
        var users = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PrivateRedis.StartAsync(Folder)));
        await using var connection = await RedisConnections.ConnectAsync(Options);
        var store = new RedisSemanticIdStore(connection, Options);
        await store.PublishAsync("v1", Tables.Random(10, 1), Cancel);
        foreach (var user in users)
        {
            Assert.True(await store.IsPublishedAsync("v1", Cancel));
            Assert.Single(Processes(), IsServer);
            await user.DisposeAsync();
            await user.DisposeAsync();
        }

        Assert.Empty(Processes());
    }

    [RedisFact]
    public async Task A_user_that_is_killed_takes_its_own_server_along_and_the_server_of_another_goes_on()
    {
        using var killed = await StartUserAsync();
        Process[] children;
        await using (await PrivateRedis.StartAsync(Folder))
        {
            await using var connection = await RedisConnections.ConnectAsync(Options);
            var store = new RedisSemanticIdStore(connection, Options);
            await store.PublishAsync("v1", Tables.Random(10, 1), Cancel);
            var first = await store.AssignAsync("v1", "new", "", new ushort[] { 1, 2, 3 }, default, Cancel);
            children = Processes();
            killed.Kill();
            var again = await store.AssignAsync("v1", "new", "", new ushort[] { 1, 2, 3 }, default, Cancel);
            Assert.Equal(first with { Existing = true }, again);
        }

        await Task.WhenAll(children.Append(killed).Select(process => process.WaitForExitAsync()));
        Assert.Empty(Processes());
    }

    [RedisFact]
    public async Task When_all_users_are_killed_nothing_is_left_and_the_next_start_finds_what_was_written()
    {
        Process[] users = [await StartUserAsync(), await StartUserAsync()];
        await using (var connection = await RedisConnections.ConnectAsync(Options))
        {
            await new RedisSemanticIdStore(connection, Options).PublishAsync("v1", Tables.Random(10, 1), Cancel);
        }

        var children = Processes();
        Assert.Equal(2, children.Length);
        Assert.Single(children, IsServer);
        foreach (var user in users)
        {
            user.Kill();
        }

        await Task.WhenAll(children.Concat(users).Select(process => process.WaitForExitAsync()));
        await ItIsThereAsync();
    }

    [RedisFact]
    public async Task Files_that_an_ended_server_left_do_not_mislead_the_next_start()
    {
        await using (await PrivateRedis.StartAsync(Folder))
        {
            await using var connection = await RedisConnections.ConnectAsync(Options);
            await new RedisSemanticIdStore(connection, Options).PublishAsync("v1", Tables.Random(10, 1), Cancel);
        }

        File.WriteAllText(Path.Combine(Folder, "redis.pid"), $"{Environment.ProcessId}\n"); // belongs to somebody else now
        File.WriteAllText(Path.Combine(Folder, "redis.sock"), "");
        await ItIsThereAsync();
    }

    [RedisFact]
    public async Task A_server_that_was_killed_is_started_again_and_one_that_was_told_to_end_too()
    {
        await using var redis = await PrivateRedis.StartAsync(Folder);
        await using var connection = await RedisConnections.ConnectAsync(Options);
        var store = new RedisSemanticIdStore(connection, Options);
        await store.PublishAsync("v1", Tables.Random(10, 1), Cancel);
        Processes().Single().Kill();
        Assert.True(await store.IsPublishedAsync("v1", Cancel));
        await SignalAsync("TERM");
        Assert.True(await store.IsPublishedAsync("v1", Cancel));
    }

    [RedisFact]
    public async Task A_server_that_hangs_is_reported_and_answers_again_when_it_goes_on()
    {
        await using var redis = await PrivateRedis.StartAsync(Folder);
        var options = Options with { Timeout = TimeSpan.FromSeconds(2) };
        await using var connection = await RedisConnections.ConnectAsync(options);
        var store = new RedisSemanticIdStore(connection, options);
        Assert.Null(await store.ActiveAsync(Cancel));
        await SignalAsync("STOP");
        var error = await Assert.ThrowsAsync<CatalogException>(() => store.ActiveAsync(Cancel));
        Assert.Equal(Fault.Unavailable, error.Fault);
        Assert.Contains("did not answer active", error.Message);
        await SignalAsync("CONT");
        await using var patient = await RedisConnections.ConnectAsync(Options);
        Assert.Null(await new RedisSemanticIdStore(patient, Options).ActiveAsync(Cancel));
    }

    [RedisFact]
    public async Task Only_its_owner_reaches_it_and_no_port_is_open()
    {
        Directory.CreateDirectory(Folder, OwnersOnly | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await using var redis = await PrivateRedis.StartAsync(Folder);
        Assert.Equal(OwnersOnly, File.GetUnixFileMode(Folder));
        Assert.Equal(OwnersOnly, File.GetUnixFileMode(redis.Socket));
        var options = new ConfigurationOptions { EndPoints = { new UnixDomainSocketEndPoint(redis.Socket) }, AllowAdmin = true };
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        var settings = await connection.GetServers().Single().ConfigGetAsync("port");
        Assert.Equal(new KeyValuePair<string, string>("port", "0"), settings.Single());
    }

    [RedisFact]
    public async Task A_damaged_append_only_file_is_reported_with_the_log_and_what_to_do()
    {
        await using (await PrivateRedis.StartAsync(Folder))
        {
            await using var connection = await RedisConnections.ConnectAsync(Options);
            await new RedisSemanticIdStore(connection, Options).PublishAsync("v1", Tables.Random(100, 1), Cancel);
        }

        string log = Directory.GetFiles(Path.Combine(Folder, "appendonlydir"), "*.incr.aof").Single();
        byte[] bytes = File.ReadAllBytes(log);
        bytes.AsSpan(bytes.Length / 2, 64).Fill((byte)'?');
        File.WriteAllBytes(log, bytes);
        var error = await Assert.ThrowsAsync<CatalogException>(() => PrivateRedis.StartAsync(Folder));
        Assert.Equal(Fault.Unavailable, error.Fault);
        Assert.Contains("Bad file format", error.Message);
        Assert.Contains("rebuilt from the version folders", error.Message);
        Assert.Empty(Processes());
    }

    [RedisFact]
    public async Task A_folder_whose_path_is_too_long_for_a_socket_is_refused_with_the_limit()
    {
        string folder = _folder[new string('x', 97 - _folder.Path.Length)]; // …/redis.sock: 109 bytes
        var error = await Assert.ThrowsAsync<CatalogException>(() => PrivateRedis.StartAsync(folder));
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
        Assert.Contains("at most 107 bytes (109)", error.Message);
        await using var longest = await PrivateRedis.StartAsync(folder[..^2]);
    }

    public void Dispose() => _folder.Dispose();

    private async Task ItIsThereAsync()
    {
        await using var redis = await PrivateRedis.StartAsync(Folder);
        await using var connection = await RedisConnections.ConnectAsync(Options);
        Assert.True(await new RedisSemanticIdStore(connection, Options).IsPublishedAsync("v1", Cancel));
    }

    // A title follows.
    private static bool IsServer(Process process) => process.ProcessName.StartsWith("redis-server", StringComparison.Ordinal);

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("sh", ["-c", "kill -$0 $1", signal, $"{Processes().Single().Id}"]);
        await kill.WaitForExitAsync();
    }

    private async Task<Process> StartUserAsync()
    {
        var user = Process.Start(new ProcessStartInfo("dotnet", [typeof(RedisUserProgram).Assembly.Location, "use", Folder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("uses it", await user.StandardOutput.ReadLineAsync());
        return user;
    }

    /// <summary>Those that live in the folder: the server and who waits to become it. A process that has ended lives nowhere.</summary>
    private Process[] Processes()
    {
        return [.. Process.GetProcesses().Where(process => LivesIn(process.Id) == Folder)];

        static string? LivesIn(int pid)
        {
            try
            {
                return new DirectoryInfo($"/proc/{pid}/cwd").ResolveLinkTarget(returnFinalTarget: false)?.FullName;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}
