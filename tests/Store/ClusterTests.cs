using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Recsys.Catalog;
using Recsys.Store.Redis;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

/// <summary>
/// A real redis-server in cluster mode with all slots of its own. The client does not see that it is a cluster, so the server alone
/// says which calls reach over two slots.
/// </summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort();
    private Process? _server;

    private RedisOptions Options => new($"127.0.0.1:{_port}");

    public async Task InitializeAsync()
    {
        if (PrivateRedis.FindServer() is not { } server)
        {
            return;
        }

        _server = Process.Start(new ProcessStartInfo(server,
        [
            "--port", $"{_port}", "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", $"{FreePort()}", "--save", "",
            "--appendonly", "no", "--dir", _folder.Path, "--logfile", "redis.log",
        ]));
        while (await AskAsync("cluster", "addslotsrange", "0", "16383") != "OK")
        {
            Assert.False(_server!.HasExited, "redis-server does not run in cluster mode");
        }

        while (!(await AskAsync("cluster", "info")).Contains("cluster_state:ok", StringComparison.Ordinal))
        {
        }
    }

    public async Task DisposeAsync()
    {
        _server?.Kill();
        await (_server?.WaitForExitAsync() ?? Task.CompletedTask);
        _folder.Dispose();
    }

    [RedisFact]
    public async Task Whatever_the_store_does_stays_in_one_slot_of_a_server_that_refuses_two()
    {
        await using var connection = await RedisConnections.ConnectAsync(Options);
        var store = new RedisSemanticIdStore(connection, Options);
        var items = Tables.Random(700, 1); // two batches
        string[] versions = ["v1", "v2"];
        foreach (string version in versions)
        {
            await store.PublishAsync(version, items, Cancel);
        }

        // By the server: the client, which sees no cluster, gives every key one slot.
        Assert.NotEqual(
            await AskAsync("cluster", "keyslot", $"{Keys("v1").Layout}"), await AskAsync("cluster", "keyslot", $"{Keys("v2").Layout}"));
        Assert.True(await store.TryActivateAsync(null, "v1", Cancel));
        var assigned = await store.AssignAsync("v1", "new", "New", items.SemanticIds[0].Codes(), default, Cancel);
        var again = await store.AssignAsync("v1", "new", "New", items.SemanticIds[0].Codes(), default, Cancel);
        Assert.Equal(assigned with { Existing = true }, again);
        Assert.Equal(assigned.Id, await store.FindAsync("v1", "new", Cancel));
        Assert.Contains("new", await store.ItemsAsync("v1", items.SemanticIds[0].Codes(), 1000, Cancel));
        Assert.True(await store.TryActivateAsync("v1", "v2", Cancel));
        Assert.Equal("v2", await store.ActiveAsync(Cancel));

        // Back, with what was appended, as a rollback does it.
        var appended = (await store.AppendedAsync("v1", null, Cancel)).Items;
        await store.RecoverAsync("v1", items, appended, Cancel);
        Assert.True(await store.TryActivateAsync("v2", "v1", Cancel));
        Assert.Equal([new AppendedItem("new", assigned.Id, "New")], appended);
        await store.DropAsync("v2", Cancel);
        Assert.False(await store.IsPublishedAsync("v2", Cancel));
        Assert.Equal("here", await store.ClaimAsync("here", Cancel));

        // The server does look: one version's keys are one slot's, two versions' are not.
        var database = connection.GetDatabase();
        await database.ExecuteAsync("MGET", $"{Keys("v1").Published}", $"{Keys("v1").Layout}");
        var refused = await Assert.ThrowsAsync<RedisServerException>(
            () => database.ExecuteAsync("MGET", $"{Keys("v1").Published}", $"{Keys("v2").Published}"));
        Assert.StartsWith("CROSSSLOT", refused.Message, StringComparison.Ordinal);
    }

    private static VersionKeys Keys(string version) => new(RedisOptions.DefaultPrefix, version);

    private async Task<string> AskAsync(params string[] command)
    {
        using var client = Process.Start(new ProcessStartInfo("redis-cli", ["-p", $"{_port}", .. command])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        string answer = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        return answer.Trim();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
