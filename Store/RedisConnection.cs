using System.Diagnostics;
using System.Diagnostics.Metrics;
using Recsys.Catalog;
using StackExchange.Redis;

namespace Recsys.Store;

/// <summary>
/// One multiplexer, and the rule for every call on it: a reply within the timeout, trying again while the connection is lost, and
/// after that one typed error with the numbers. All operations of the store may be repeated, so trying again is safe.
/// </summary>
internal sealed class RedisConnection : IDisposable
{
    private static readonly Meter Meter = new("Recsys.Store");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("db.client.operation.duration", "s", "Duration of one store operation, retries included");
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50), RenewAfter = TimeSpan.FromSeconds(3);
    private static readonly string[] TransientReplies = ["LOADING", "NOSCRIPT", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "BUSY"];

    private readonly RedisOptions _options;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private ConnectionMultiplexer _multiplexer;
    private long _connectedAt;

    private RedisConnection(RedisOptions options, TimeProvider time, ConnectionMultiplexer multiplexer) =>
        (_options, _time, _multiplexer, _connectedAt) = (options, time, multiplexer, time.GetTimestamp());

    public static async Task<RedisConnection> OpenAsync(RedisOptions options, TimeProvider time)
    {
        options.Validate();
        return new RedisConnection(options, time, await ConnectAsync(options));
    }

    /// <exception cref="CatalogException">Unavailable, with endpoints, attempts, seconds and the client's own counters.</exception>
    public async Task<T> RunAsync<T>(string operation, Func<IDatabase, int, Task<T>> call, CancellationToken cancel)
    {
        long start = _time.GetTimestamp();
        string outcome = "ok";
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                cancel.ThrowIfCancellationRequested();
                var multiplexer = Volatile.Read(ref _multiplexer);
                try
                {
                    var result = await call(multiplexer.GetDatabase(), attempt).WaitAsync(_options.ReplyTimeout, _time, cancel);
                    Volatile.Write(ref _connectedAt, _time.GetTimestamp());
                    return result;
                }
                catch (Exception error) when (IsTransient(error, cancel))
                {
                    var elapsed = _time.GetElapsedTime(start);
                    if (elapsed >= _options.Patience)
                    {
                        throw Unavailable(operation, multiplexer, attempt, elapsed, error);
                    }

                    await RenewIfDeadAsync(multiplexer, cancel);
                    await Task.Delay(Pause, _time, cancel);
                }
                catch (RedisServerException error)
                {
                    throw CatalogException.Unavailable($"Redis at {Endpoints(multiplexer)} refused {operation}: {error.Message}", error);
                }
            }
        }
        catch (Exception error)
        {
            outcome = error is OperationCanceledException ? "cancelled" : "error";
            throw;
        }
        finally
        {
            Duration.Record(_time.GetElapsedTime(start).TotalSeconds, new TagList { { "db.system.name", "redis" }, { "db.operation.name", operation }, { "outcome", outcome } });
        }
    }

    public void Dispose()
    {
        // Not its Dispose alone: that waits a second for QUIT's reply, and every operation has its reply already.
        _multiplexer.Close(allowCommandsToComplete: false);
        _multiplexer.Dispose();
        _renewing.Dispose();
    }

    private static bool IsTransient(Exception error, CancellationToken cancel) => error switch
    {
        RedisServerException reply => TransientReplies.Any(prefix => reply.Message.StartsWith(prefix, StringComparison.Ordinal) || reply.Message.Contains($": {prefix} ", StringComparison.Ordinal)),
        RedisConnectionException or TimeoutException or ObjectDisposedException => true,
        OperationCanceledException => !cancel.IsCancellationRequested, // the client cancels what was in flight when a socket broke
        _ => false,
    };

    // The client reconnects by itself; where it has not for some seconds, a new one takes its place.
    private async Task RenewIfDeadAsync(ConnectionMultiplexer dead, CancellationToken cancel)
    {
        if (dead.IsConnected || _time.GetElapsedTime(Volatile.Read(ref _connectedAt)) < RenewAfter)
        {
            return;
        }

        await _renewing.WaitAsync(cancel);
        try
        {
            if (ReferenceEquals(_multiplexer, dead) && !dead.IsConnected)
            {
                Volatile.Write(ref _multiplexer, await ConnectAsync(_options));
                Volatile.Write(ref _connectedAt, _time.GetTimestamp());
                dead.Dispose();
            }
        }
        finally
        {
            _renewing.Release();
        }
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(RedisOptions options)
    {
        ConfigurationOptions configuration;
        try
        {
            configuration = ConfigurationOptions.Parse(options.Connection);
        }
        catch (ArgumentException error)
        {
            throw CatalogException.Invalid($"The Redis connection string is not understood: {error.Message} Write host:port[,password=…].", error);
        }

        configuration.AbortOnConnectFail = false;
        configuration.ConnectTimeout = 2000;
        configuration.ConnectRetry = 1;
        configuration.ReconnectRetryPolicy = new LinearRetry(200);
        configuration.ClientName = "recsys";
        return await ConnectionMultiplexer.ConnectAsync(configuration);
    }

    private static CatalogException Unavailable(string operation, ConnectionMultiplexer multiplexer, int attempts, TimeSpan elapsed, Exception error) => CatalogException.Unavailable(
        $"Redis at {Endpoints(multiplexer)} did not answer {operation} in {attempts} {(attempts == 1 ? "attempt" : "attempts")} over {elapsed.TotalSeconds:0.0} s "
        + $"({(multiplexer.IsConnected ? "connected" : "not connected")}; {error.Message}). Check that it runs and can be reached; what it held is rebuilt from the version folders.", error);

    private static string Endpoints(ConnectionMultiplexer multiplexer) => string.Join(", ", multiplexer.GetEndPoints(configuredOnly: true).Select(endpoint => endpoint.ToString()));
}
