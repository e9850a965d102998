using System.Net.Sockets;
using Recsys.Catalog;
using StackExchange.Redis;
using StackExchange.Redis.Availability;

namespace Recsys.Store.Redis;

/// <summary>Makes the one connection that a process shares: it reconnects by itself and queues what is asked meanwhile.</summary>
public static class RedisConnections
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(200), Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Connects. Succeeds while Redis is away; then the first operation waits for it.</summary>
    /// <exception cref="CatalogException">InvalidArgument: options out of range, or a connection string that is not understood.</exception>
    public static async Task<IConnectionMultiplexer> ConnectAsync(RedisOptions options)
    {
        options.Validate();
        var configuration = Parse(options.Connection);
        configuration.AbortOnConnectFail = false;
        configuration.ConnectTimeout = 2000;
        configuration.ConnectRetry = 1;
        configuration.AsyncTimeout = configuration.SyncTimeout = (int)options.Timeout.TotalMilliseconds;
        configuration.HeartbeatInterval = Beat; // at which timeouts are noticed and connections tried again
        configuration.ReconnectRetryPolicy = new LinearRetry((int)Beat.TotalMilliseconds);
        configuration.ClientName = "recsys";

        // Every operation of the store may be repeated: also what was under way when a connection broke is sent again.
        configuration.RetryPolicy = new RepeatUntilTimeout(new RetryPolicy.Builder
        {
            MaxAttempts = 1 + (int)(options.Timeout / Pause),
            RetryDelay = Pause,
            JitterMax = TimeSpan.Zero,
            MaxCommandRetryCategory = CommandFlags.CommandRetryNever,
        });
        return await ConnectionMultiplexer.ConnectAsync(configuration);
    }

    private static ConfigurationOptions Parse(string connection)
    {
        if (connection.StartsWith('/'))
        {
            return new ConfigurationOptions { EndPoints = { new UnixDomainSocketEndPoint(connection) } };
        }

        try
        {
            var configuration = ConfigurationOptions.Parse(connection);
            return configuration.EndPoints.Count > 0 ? configuration : throw new ArgumentException($"'{connection}' names no host.");
        }
        catch (ArgumentException error)
        {
            throw CatalogException.Invalid(
                $"The Redis connection string is not understood: {error.Message} Write host:port[,password=…].", error);
        }
    }

    // Else each of the attempts would wait for the whole timeout.
    private sealed class RepeatUntilTimeout(RetryPolicy.Builder settings) : RetryPolicy(settings)
    {
        public override RetryResult CanRetry(in FaultContext fault) =>
            fault.ErrorKind == RedisErrorKind.Timeout ? RetryResult.None : base.CanRetry(fault);
    }
}
