using System.Diagnostics;
using System.Diagnostics.Metrics;
using Recsys.Catalog;
using StackExchange.Redis;
using StackExchange.Redis.Availability;

namespace Recsys.Store.Redis;

/// <summary>Every call of the store on Redis: repeated by the connection's policy, measured, its errors as the catalogue's.</summary>
internal sealed class RedisCalls(IConnectionMultiplexer redis)
{
    private static readonly Meter Meter = new("Recsys.Store");
    private static readonly Histogram<double> Duration =
        Meter.CreateHistogram<double>("db.client.operation.duration", "s", "Duration of one store operation, retries included");

    private readonly IDatabaseAsync _database = redis.GetDatabase().WithRetry();

    /// <exception cref="CatalogException">Unavailable: no answer in time, or a refusal, with endpoints and seconds.</exception>
    public async Task<T> RunAsync<T>(string operation, Func<IDatabaseAsync, Task<T>> call, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        long start = Stopwatch.GetTimestamp();
        string outcome = "error";
        try
        {
            var result = await call(_database).WaitAsync(cancel);
            outcome = "ok";
            return result;
        }
        catch (RedisServerException error)
        {
            throw CatalogException.Unavailable($"Redis at {Endpoints()} refused {operation}: {error.Message}", error);
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            throw CatalogException.Unavailable(
                $"Redis at {Endpoints()} did not answer {operation} in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s "
                + $"({(redis.IsConnected ? "connected" : "not connected")}; {error.Message}). "
                + "Check that it runs and can be reached; what it held is rebuilt from the version folders.",
                error);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            var tags = new TagList { { "db.system.name", "redis" }, { "db.operation.name", operation }, { "outcome", outcome } };
            Duration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, tags);
        }
    }

    private string Endpoints() => string.Join(", ", redis.GetEndPoints(configuredOnly: true).Select(endpoint => endpoint.ToString()));
}
