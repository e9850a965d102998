using Recsys.Store.Redis;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

/// <summary>One private Redis for all tests of a class; each test uses version names of its own.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private PrivateRedis? _redis;

    public RedisOptions Options => new(_redis!.Socket);

    /// <summary>Null where redis-server is not installed.</summary>
    public IConnectionMultiplexer? Connection { get; private set; }

    /// <summary>A store of that Redis; null for the tests that run without.</summary>
    public RedisSemanticIdStore Store => Connection is { } redis ? new RedisSemanticIdStore(redis, Options) : null!;

    public async Task InitializeAsync()
    {
        if (PrivateRedis.FindServer() is not null)
        {
            _redis = await PrivateRedis.StartAsync(_folder.Path);
            Connection = await RedisConnections.ConnectAsync(Options);
        }
    }

    public async Task DisposeAsync()
    {
        if (Connection is not null)
        {
            await Connection.DisposeAsync();
            await _redis!.DisposeAsync();
        }

        _folder.Dispose();
    }
}
