using Recsys.Store.Redis;

namespace Recsys.Store.Tests;

/// <summary>What this assembly does as a process of its own: uses the private Redis of a folder until its standard input ends.</summary>
internal static class RedisUserProgram
{
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["use", var folder])
        {
            return 2;
        }

        await using var redis = await PrivateRedis.StartAsync(folder);
        Console.WriteLine("uses it");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
