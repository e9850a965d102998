using Recsys.Store.Redis;

namespace Recsys.Tests;

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
