using Recsys.Catalog;
using Recsys.Store;
using Recsys.Store.Redis;
using Recsys.Store.Versions;

namespace Recsys.Server.Serving;

/// <summary>The folder of versions and the Redis that goes with it: a named one, or a private one in the folder.</summary>
internal sealed class Stores : IAsyncDisposable
{
    private readonly PrivateRedis? _private;
    private readonly IAsyncDisposable _connection;

    private Stores(
        VersionStore versions, RedisSemanticIdStore ids, RedisLiveValues live, RedisInteractions interactions, IAsyncDisposable connection,
        PrivateRedis? privateRedis)
    {
        (Versions, Ids, Live, Interactions) = (versions, ids, live, interactions);
        (_connection, _private) = (connection, privateRedis);
    }

    public VersionStore Versions { get; }

    public RedisSemanticIdStore Ids { get; }

    public RedisLiveValues Live { get; }

    public RedisInteractions Interactions { get; }

    /// <param name="root">Folder of versions; made where it is missing.</param>
    /// <param name="redis">Connection string; null: a private Redis.</param>
    /// <param name="prefix">What the keys begin with; null: <see cref="RedisOptions.DefaultPrefix"/>.</param>
    /// <exception cref="CatalogException">FailedPrecondition: the keys there belong to another folder of versions.</exception>
    public static async Task<Stores> OpenAsync(string root, string? redis, string? prefix, CancellationToken cancel)
    {
        Directory.CreateDirectory(root);
        var versions = new VersionStore(root);
        var options = new RedisOptions(redis ?? "private") { Prefix = prefix ?? RedisOptions.DefaultPrefix };
        options.Validate(); // before a private Redis is started
        var own = redis is null ? await PrivateRedis.StartAsync(Path.Combine(root, ".redis"), cancel) : null;
        options = options with { Connection = redis ?? own!.Socket };
        var connection = await RedisConnections.ConnectAsync(options);
        var stores = new Stores(
            versions, new RedisSemanticIdStore(connection, options, versions.NoteActive),
            new RedisLiveValues(connection, options, versions), new RedisInteractions(connection, options, versions), connection, own);
        try
        {
            if (own is not null)
            {
                // Nobody else fills a private Redis: whatever a crash or a lost file took from it comes back from the folder.
                await stores.RestorePrivateAsync(cancel);
            }
            else
            {
                await stores.RefuseForeignAsync(options, cancel);
            }

            return stores;
        }
        catch
        {
            await stores.DisposeAsync();
            throw;
        }
    }

    /// <summary>Removes all versions but the newest and the active one: from Redis, then from the folder.</summary>
    /// <param name="keep">Newest versions that stay.</param>
    /// <returns>What was removed, oldest first.</returns>
    /// <exception cref="CatalogException">InvalidArgument: fewer than one would stay.</exception>
    public async Task<IReadOnlyList<string>> PruneAsync(int keep, CancellationToken cancel)
    {
        if (keep < 1)
        {
            throw CatalogException.Invalid($"--keep {keep}: at least 1 version stays.");
        }

        string? active = await Ids.ActiveAsync(cancel) ?? Versions.NotedActive;
        string[] old = [.. Versions.List().Select(manifest => manifest.Version).SkipLast(keep).Where(version => version != active)];
        foreach (string version in old)
        {
            await Ids.DropAsync(version, cancel);
            Versions.Remove(version);
        }

        return old;
    }

    // Two folders that move one pointer would take each other's versions from service, at the next start and without a word. A
    // folder that has the pointer's version is a copy of the owner, and welcome.
    private async Task RefuseForeignAsync(RedisOptions options, CancellationToken cancel)
    {
        if (await Ids.ClaimAsync(Versions.DeploymentId, cancel) is var owner && owner != Versions.DeploymentId
            && !(await Ids.ActiveAsync(cancel) is { } active && Versions.Has(active)))
        {
            throw CatalogException.Precondition(
                $"The keys '{options.Prefix}…' of this Redis belong to another folder of versions ({owner}, not '{Versions.Root}'). Give "
                + $"this folder keys of its own with --redis-prefix, or, if the other is gone, delete the key {options.Prefix}deployment.");
        }
    }

    // What is damaged must not keep anyone from activating or building another version.
    private async Task RestorePrivateAsync(CancellationToken cancel)
    {
        await WarnAsync("the active version cannot be served", StoreRecovery.RunAsync(Versions, Ids, null, cancel));
        await WarnAsync("live attributes of items are lost", Live.RecoverAsync(cancel));
        await WarnAsync("interactions since the last rebuild are lost to servers", Interactions.RecoverAsync(whole: false, cancel));
    }

    private static async Task WarnAsync(string what, Task recovery)
    {
        try
        {
            await recovery;
        }
        catch (CatalogException e) when (e.Fault is Fault.DataLoss or Fault.NotFound)
        {
            Console.Error.WriteLine($"recsys: warning: {what}: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        if (_private is not null)
        {
            await _private.DisposeAsync();
        }
    }
}
