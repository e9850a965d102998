using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Recsys.V1;

namespace Recsys.Client;

/// <summary>
/// The server's services over one connection, with a deadline for every call and retries within a budget. Safe from any thread; one for a
/// process is enough.
/// </summary>
public sealed class RecsysClient : IDisposable
{
    private static readonly StatusCode[] Away = [StatusCode.Unavailable, StatusCode.ResourceExhausted];

    // What is no fault of the request: then a caller has something of its own to show.
    private static readonly StatusCode[] Excused =
        [.. Away, StatusCode.DeadlineExceeded, StatusCode.FailedPrecondition, StatusCode.DataLoss, StatusCode.Internal, StatusCode.Unknown];

    private readonly GrpcChannel _channel;

    /// <exception cref="ArgumentException">A value of the options is out of its range.</exception>
    public RecsysClient(RecsysClientOptions options)
    {
        options.Validate();
        _channel = GrpcChannel.ForAddress(options.Address, new GrpcChannelOptions
        {
            Credentials = options.Address.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
                ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true, PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                KeepAlivePingDelay = TimeSpan.FromSeconds(30), KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            },
            DisposeHttpClient = true,
            ServiceConfig = ConfigOf(options),
        });
        var calls = _channel.Intercept(new RecsysTelemetry.Calls(options.Deadline));
        (Retrieval, Items, Events) = (new(calls), new(calls), new(calls));
        (Quantizer, Creative, Versions) = (new(calls), new(calls), new(calls));
    }

    public Retrieval.RetrievalClient Retrieval { get; }

    public Items.ItemsClient Items { get; }

    public Events.EventsClient Events { get; }

    public Quantizer.QuantizerClient Quantizer { get; }

    public Creative.CreativeClient Creative { get; }

    public Versions.VersionsClient Versions { get; }

    /// <summary>Next items of a history.</summary>
    /// <exception cref="RpcException">As the server's table of errors says.</exception>
    public async Task<RecommendResponse> RecommendAsync(RecommendRequest request, CancellationToken cancel = default) =>
        await Retrieval.RecommendAsync(request, cancellationToken: cancel).ConfigureAwait(false);

    /// <summary>
    /// The ids of next items, or what the caller falls back to where the server does not answer in time. A fault of the request itself is
    /// thrown: it would be there at the next call too.
    /// </summary>
    /// <param name="fallback">Best first, asked when it is needed; what the request leaves out by id is left out of it.</param>
    /// <exception cref="RpcException">The request is wrong, or was cancelled.</exception>
    public async Task<RecommendedIds> RecommendOrElseAsync(
        RecommendRequest request, Func<IEnumerable<string>> fallback, CancellationToken cancel = default)
    {
        try
        {
            var answer = await RecommendAsync(request, cancel).ConfigureAwait(false);
            return new RecommendedIds([.. answer.Items.Select(item => item.ItemId)], answer, null);
        }
        catch (RpcException error) when (Excused.Contains(error.StatusCode) && !cancel.IsCancellationRequested)
        {
            RecsysTelemetry.FellBack(error.StatusCode);
            var left = request.Exclude.Concat(request.ExcludeSeen ? request.History : []).ToHashSet(StringComparer.Ordinal);
            var among = request.Candidates?.ItemIds.ToHashSet(StringComparer.Ordinal);
            string[] ids =
            [
                .. fallback().Where(id => !left.Contains(id) && among?.Contains(id) != false).Distinct(StringComparer.Ordinal)
                    .Take(request.K == 0 ? 10 : request.K),
            ];
            return new RecommendedIds(ids, null, error);
        }
    }

    /// <summary>Tells the server what users touched. An event without a time is of now, whichever attempt the server hears: so that none
    /// counts twice.</summary>
    /// <exception cref="RpcException">As the server's table of errors says.</exception>
    public async Task<RecordEventsResponse> RecordAsync(IReadOnlyList<Event> events, CancellationToken cancel = default)
    {
        var now = Timestamp.FromDateTime(DateTime.UtcNow);
        var request = new RecordEventsRequest();
        request.Events.AddRange(events.Select(one => one.Time is null ? new Event(one) { Time = now } : one));
        return await Events.RecordAsync(request, cancellationToken: cancel).ConfigureAwait(false);
    }

    public void Dispose() => _channel.Dispose();

    private static ServiceConfig ConfigOf(RecsysClientOptions options)
    {
        var config = new ServiceConfig { LoadBalancingConfigs = { new RoundRobinConfig() } };
        if (options.Attempts > 1)
        {
            var policy = new RetryPolicy
            {
                MaxAttempts = options.Attempts, InitialBackoff = options.Backoff, MaxBackoff = 10 * options.Backoff, BackoffMultiplier = 2,
            };
            Array.ForEach(Away, policy.RetryableStatusCodes.Add);
            config.MethodConfigs.Add(new MethodConfig { Names = { MethodName.Default }, RetryPolicy = policy });

            // Each failure takes a token and each call that ends well brings back a share of one; below half of them nothing is retried.
            config.RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 20, TokenRatio = options.RetryBudget };
        }

        return config;
    }
}

/// <summary>What a backend shows.</summary>
/// <param name="Ids">Best first.</param>
/// <param name="Answer">The server's; null: they are the caller's fallback.</param>
/// <param name="Error">Why it is the fallback; null: it is not.</param>
public sealed record RecommendedIds(IReadOnlyList<string> Ids, RecommendResponse? Answer, RpcException? Error);
