using Recsys.Store;

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
    public static async Task<Stores> OpenAsync(string root, string? redis, CancellationToken cancel)
    {
        Directory.CreateDirectory(root);
        var versions = new VersionStore(root);
        redis ??= Environment.GetEnvironmentVariable("RECSYS_REDIS") is { Length: > 0 } configured ? configured : null;
        var own = redis is null ? await PrivateRedis.StartAsync(Path.Combine(root, ".redis"), cancel) : null;
        var options = new RedisOptions(redis ?? own!.Socket);
        var connection = await RedisConnections.ConnectAsync(options);
        var stores = new Stores(versions, new RedisSemanticIdStore(connection, options, versions.NoteActive), connection, own);
        try
        {
            if (own is not null)
            {
                // Nobody else fills a private Redis: whatever a crash or a lost file took from it comes back from the folder.
                await stores.RestoreAsync(null, cancel);
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
    public Task<RecoveryReport> RestoreAsync(IReadOnlyList<string>? only, CancellationToken cancel) => StoreRecovery.RunAsync(Versions, Ids, only, cancel);

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        if (_private is not null)
        {
            await _private.DisposeAsync();
        }
    }
}
