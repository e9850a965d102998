using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Server.Serving;
using Recsys.Store.Redis;
using Recsys.Store.Versions;

namespace Recsys.Server.Tests;

/// <summary>Folders of versions on one Redis, which is somebody's own.</summary>
public sealed class StoresTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-stores-").FullName;
    private PrivateRedis _redis = null!;

    public async Task InitializeAsync() => _redis = await PrivateRedis.StartAsync(Path.Combine(_folder, "redis"));

    public async Task DisposeAsync()
    {
        await _redis.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [RedisFact]
    public async Task A_second_folder_is_refused_with_what_to_do_and_served_under_a_prefix()
    {
        await using (var first = await OpenAsync("production", null))
        {
            await PublishAsync(first, "v1");
            Assert.True(await first.Ids.TryActivateAsync(null, "v1", Cancel));
        }

        var error = await Assert.ThrowsAsync<CatalogException>(() => OpenAsync("staging", null));
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
        Assert.Contains("--redis-prefix", error.Message);
        Assert.Contains("recsys:deployment", error.Message);

        await using (var second = await OpenAsync("staging", "staging:"))
        {
            await PublishAsync(second, "v2");
            Assert.True(await second.Ids.TryActivateAsync(null, "v2", Cancel));
        }

        await using var again = await OpenAsync("production", null);
        Assert.Equal("v1", await again.Ids.ActiveAsync(Cancel));
    }

    [RedisFact]
    public async Task A_second_folder_is_refused_before_the_first_has_an_active_version()
    {
        await using var first = await OpenAsync("production", null);
        await Assert.ThrowsAsync<CatalogException>(() => OpenAsync("staging", null));
        await using var replica = await OpenAsync("production", null);
    }

    [RedisFact]
    public async Task A_folder_with_the_active_version_is_a_copy_and_welcome()
    {
        await using var first = await OpenAsync("production", null);
        await PublishAsync(first, "v1");
        await first.Ids.TryActivateAsync(null, "v1", Cancel);
        Seal(new VersionStore(Path.Combine(_folder, "copy")), "v1");
        await using var copy = await OpenAsync("copy", null);
        Assert.Equal("v1", await copy.Ids.ActiveAsync(Cancel));
    }

    [RedisFact]
    public async Task Pruning_keeps_the_newest_and_the_active_one()
    {
        await using var stores = await OpenAsync("production", null);
        foreach (string version in new[] { "v1", "v2", "v3", "v4" })
        {
            await PublishAsync(stores, version);
        }

        await stores.Ids.TryActivateAsync(null, "v2", Cancel);
        stores.Versions.Append("v1", new AppendedItem("new", new SemanticId([3, 3]), ""));
        var none = await Assert.ThrowsAsync<CatalogException>(() => stores.PruneAsync(0, Cancel));
        Assert.Equal(Fault.InvalidArgument, none.Fault);
        Assert.Empty(await stores.PruneAsync(4, Cancel));
        Assert.Equal(["v1", "v3"], await stores.PruneAsync(1, Cancel));
        Assert.Equal(["v2", "v4"], stores.Versions.List().Select(manifest => manifest.Version));
        Assert.Empty(stores.Versions.Appended("v1"));
        foreach (string version in new[] { "v1", "v2", "v3", "v4" })
        {
            Assert.Equal(version is "v2" or "v4", await stores.Ids.IsPublishedAsync(version, Cancel));
        }
    }

    private Task<Stores> OpenAsync(string folder, string? prefix) =>
        Stores.OpenAsync(Path.Combine(_folder, folder), _redis.Socket, prefix, Cancel);

    private static async Task PublishAsync(Stores stores, string version)
    {
        Seal(stores.Versions, version);
        await stores.Ids.PublishAsync(version, SnapshotTests.Of("a", "b"), Cancel);
    }

    private static void Seal(VersionStore versions, string version)
    {
        using var writer = versions.Begin(version);
        writer.WriteItems(SnapshotTests.Of("a", "b"));
        writer.Seal(new VersionDescription("tiny", 1, [4, 4], 2, new Dictionary<string, double>()));
    }
}
