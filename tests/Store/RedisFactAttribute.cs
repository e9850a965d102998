using Recsys.Store.Redis;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

/// <summary>A fact about a real redis-server; skipped, with the reason, where that is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute()
    {
        if (PrivateRedis.FindServer() is null)
        {
            Skip = "redis-server is not installed (apt-get install redis-server).";
        }
    }
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedisTheoryAttribute : TheoryAttribute
{
    public RedisTheoryAttribute() => Skip = new RedisFactAttribute().Skip;
}

/// <summary>One private Redis for all tests of a class; each test uses version names of its own.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private PrivateRedis? _redis;

    public RedisOptions Options => new(_redis!.Socket);

    /// <summary>Null where redis-server is not installed.</summary>
    public IConnectionMultiplexer? Connection { get; private set; }

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
