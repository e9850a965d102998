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

/// <summary>One private Redis for all tests of a class; each test uses version names of its own.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public PrivateRedis? Redis { get; private set; }

    public RedisOptions Options => new(Redis!.ConnectionString);

    public async Task InitializeAsync() => Redis = PrivateRedis.FindServer() is null ? null : await PrivateRedis.StartAsync(_folder.Path);

    public async Task DisposeAsync()
    {
        if (Redis is not null)
        {
            await Redis.DisposeAsync();
        }

        _folder.Dispose();
    }
}
