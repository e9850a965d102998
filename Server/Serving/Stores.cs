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

    private Stores(VersionStore versions, RedisSemanticIdStore ids, IAsyncDisposable connection, PrivateRedis? privateRedis) =>
        (Versions, Ids, _connection, _private) = (versions, ids, connection, privateRedis);

    public VersionStore Versions { get; }

    public RedisSemanticIdStore Ids { get; }

    /// <param name="root">Folder of versions; made where it is missing.</param>
    /// <param name="redis">Connection string; null: RECSYS_REDIS, else a private Redis.</param>
    public static Task<Stores> OpenAsync(string root, string? redis, CancellationToken cancel) =>
        OpenInAsync(
            root, redis ?? (Environment.GetEnvironmentVariable("RECSYS_REDIS") is { Length: > 0 } configured ? configured : null), cancel);

    /// <summary>The same with a private Redis, whatever the environment names.</summary>
    public static Task<Stores> OpenPrivateAsync(string root, CancellationToken cancel) => OpenInAsync(root, null, cancel);

    private static async Task<Stores> OpenInAsync(string root, string? redis, CancellationToken cancel)
    {
        Directory.CreateDirectory(root);
        var versions = new VersionStore(root);
        var own = redis is null ? await PrivateRedis.StartAsync(Path.Combine(root, ".redis"), cancel) : null;
        var options = new RedisOptions(redis ?? own!.Socket);
        var connection = await RedisConnections.ConnectAsync(options);
        var stores = new Stores(versions, new RedisSemanticIdStore(connection, options, versions.NoteActive), connection, own);
        try
        {
            if (own is not null)
            {
                // Nobody else fills a private Redis: whatever a crash or a lost file took from it comes back from the folder.
                await stores.RestoreActiveAsync(cancel);
            }

            return stores;
        }
        catch
        {
            await stores.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes Redis agree with the folder of versions.</summary>
    /// <param name="only">Versions; null: the active one.</param>
    public Task<RecoveryReport> RestoreAsync(IReadOnlyList<string>? only, CancellationToken cancel) =>
        StoreRecovery.RunAsync(Versions, Ids, only, cancel);

    // A damaged active version must not keep anyone from activating or building another.
    private async Task RestoreActiveAsync(CancellationToken cancel)
    {
        try
        {
            await RestoreAsync(null, cancel);
        }
        catch (CatalogException e) when (e.Fault is Fault.DataLoss or Fault.NotFound)
        {
            Console.Error.WriteLine($"recsys: warning: the active version cannot be served: {e.Message}");
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
