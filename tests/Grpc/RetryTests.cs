using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>gRFC A6: which failures are tried again, how often, and when no more.</summary>
public sealed class RetryTests
{
    /// <summary>Answers the first attempts of each call itself, with a status and perhaps a pushback; lets the others through.</summary>
    private sealed class Failing(int times, StatusCode status = StatusCode.Unavailable, string? pushback = null)
    {
        public ConcurrentQueue<string?> PreviousAttempts { get; } = [];

        public void Map(WebApplication app) => app.Use(async (http, next) =>
        {
            PreviousAttempts.Enqueue(http.Request.Headers["grpc-previous-rpc-attempts"]);
            if (PreviousAttempts.Count > times)
            {
                await next(http);
                return;
            }
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = ((int)status).ToString();
            if (pushback is not null) http.Response.Headers["grpc-retry-pushback-ms"] = pushback;
        });
    }

    private static Action<GrpcChannelOptions> Retrying(int attempts = 4, Action<RetryPolicy>? policy = null, RetryThrottlingPolicy? throttling = null) => options =>
    {
        var retry = new RetryPolicy
        {
            MaxAttempts = attempts,
            InitialBackoff = TimeSpan.FromMilliseconds(1),
            MaxBackoff = TimeSpan.FromMilliseconds(5),
            BackoffMultiplier = 2,
            RetryableStatusCodes = { StatusCode.Unavailable },
        };
        policy?.Invoke(retry);
        options.ServiceConfig = new ServiceConfig { MethodConfigs = { new MethodConfig { Names = { MethodName.Default }, RetryPolicy = retry } }, RetryThrottling = throttling };
    };

    private static async Task<RpcException> FailureAsync(Task task) => await Assert.ThrowsAsync<RpcException>(() => task);

    [Fact]
    public async Task Unary_call_is_tried_again_and_the_server_is_told_how_often()
    {
        var failing = new Failing(3);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        Assert.Equal("x", (await host.Client(Retrying()).UnaryAsync(new EchoRequest { Text = "x" })).Text);
        Assert.Equal([null, "1", "2", "3"], failing.PreviousAttempts);
    }

    [Theory]
    [InlineData(3, 3, 3)]
    [InlineData(9, 5, 9)]
    [InlineData(9, 9, 99)]
    public async Task Attempts_are_limited_by_the_policy_and_by_the_channel(int policy, int attempts, int channel)
    {
        var failing = new Failing(int.MaxValue);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        Echo.EchoClient client = host.Client(options =>
        {
            Retrying(policy)(options);
            if (channel > 9) options.MaxRetryAttempts = channel;
        });
        Assert.Equal(StatusCode.Unavailable, (await FailureAsync(client.UnaryAsync(new EchoRequest()).ResponseAsync)).StatusCode);
        Assert.Equal(attempts, failing.PreviousAttempts.Count);
    }

    [Fact]
    public async Task Codes_that_are_not_named_are_not_tried_again()
    {
        var failing = new Failing(1, StatusCode.Internal);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        Assert.Equal(StatusCode.Internal, (await FailureAsync(host.Client(Retrying()).UnaryAsync(new EchoRequest()).ResponseAsync)).StatusCode);
        Assert.Single(failing.PreviousAttempts);
    }

    [Fact]
    public async Task Streams_are_replayed_to_the_next_attempt()
    {
        var failing = new Failing(2);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        Echo.EchoClient client = host.Client(Retrying());
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> upload = client.ClientStream();
        for (byte i = 0; i < 50; i++) await upload.RequestStream.WriteAsync(new EchoRequest { Payload = ByteString.CopyFrom(i) });
        await upload.RequestStream.CompleteAsync();
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (byte)i), (await upload).Payload.ToByteArray());

        failing.PreviousAttempts.Clear();
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> duplex = client.Duplex();
        for (int i = 0; i < 20; i++)
        {
            await duplex.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
            Assert.True(await duplex.ResponseStream.MoveNext());
            Assert.Equal(($"{i}", i), (duplex.ResponseStream.Current.Text, duplex.ResponseStream.Current.Index));
        }
        await duplex.RequestStream.CompleteAsync();
        Assert.False(await duplex.ResponseStream.MoveNext());
        Assert.Equal(3, failing.PreviousAttempts.Count);
    }

    [Fact]
    public async Task Call_whose_headers_have_come_is_not_tried_again()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        using AsyncServerStreamingCall<EchoResponse> call = host.Client(Retrying()).ServerStream(new EchoRequest { Count = 2, FailCode = (int)StatusCode.Unavailable });
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Unavailable, (await FailureAsync(call.ResponseStream.MoveNext())).StatusCode);
        Assert.Equal(1, host.Probe.Calls);
    }

    [Fact]
    public async Task Request_too_large_to_keep_is_sent_but_not_tried_again()
    {
        var failing = new Failing(1);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        GrpcChannel channel = host.Channel(options =>
        {
            Retrying()(options);
            options.MaxRetryBufferPerCallSize = 1000;
        });
        var client = new Echo.EchoClient(channel);
        var large = new EchoRequest { Payload = ByteString.CopyFrom(new byte[1001]) };
        Assert.Equal(StatusCode.Unavailable, (await FailureAsync(client.UnaryAsync(large).ResponseAsync)).StatusCode);
        Assert.Single(failing.PreviousAttempts);
        Assert.Equal(1001, (await client.UnaryAsync(large)).Payload.Length);

        using AsyncClientStreamingCall<EchoRequest, EchoResponse> upload = client.ClientStream();
        for (int i = 0; i < 300; i++) await upload.RequestStream.WriteAsync(new EchoRequest { Payload = ByteString.CopyFrom(new byte[100]) });
        await upload.RequestStream.CompleteAsync();
        Assert.Equal(30_000, (await upload).Payload.Length);
        Assert.Equal(0, channel.RetryBuffer.Used);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("soon")]
    public async Task Pushback_can_forbid_the_retry(string pushback)
    {
        var failing = new Failing(1, pushback: pushback);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        await FailureAsync(host.Client(Retrying()).UnaryAsync(new EchoRequest()).ResponseAsync);
        Assert.Single(failing.PreviousAttempts);
    }

    [Fact]
    public async Task Pushback_sets_the_time_of_the_retry()
    {
        await using EchoHost host = await EchoHost.StartAsync(map: new Failing(1, pushback: "20").Map);
        // By its own policy the call would wait for an hour.
        Assert.Equal("x", (await host.Client(Retrying(policy: retry => retry.InitialBackoff = retry.MaxBackoff = TimeSpan.FromHours(1)))
            .UnaryAsync(new EchoRequest { Text = "x" })).Text);
    }

    [Fact]
    public async Task Deadline_and_cancellation_end_the_wait_for_a_retry()
    {
        await using EchoHost host = await EchoHost.StartAsync(map: new Failing(int.MaxValue).Map);
        Echo.EchoClient client = host.Client(Retrying(policy: retry => retry.InitialBackoff = retry.MaxBackoff = TimeSpan.FromHours(1)));
        Assert.Equal(StatusCode.DeadlineExceeded, (await FailureAsync(
            client.UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddMilliseconds(200)).ResponseAsync)).StatusCode);
        using var cancellation = new CancellationTokenSource(100);
        Assert.Equal(StatusCode.Cancelled, (await FailureAsync(client.UnaryAsync(new EchoRequest(), cancellationToken: cancellation.Token).ResponseAsync)).StatusCode);
        AsyncUnaryCall<EchoResponse> call = client.UnaryAsync(new EchoRequest());
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await FailureAsync(call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Budget_stops_retries_until_successes_earn_new_ones()
    {
        var failing = new Failing(5);
        await using EchoHost host = await EchoHost.StartAsync(map: failing.Map);
        Echo.EchoClient client = host.Client(Retrying(attempts: 5, throttling: new RetryThrottlingPolicy { MaxTokens = 4, TokenRatio = 0.5 }));
        // 4 tokens: after the second failure 2 are left, which is half.
        await FailureAsync(client.UnaryAsync(new EchoRequest()).ResponseAsync);
        Assert.Equal(2, failing.PreviousAttempts.Count);
        await FailureAsync(client.UnaryAsync(new EchoRequest()).ResponseAsync);
        await FailureAsync(client.UnaryAsync(new EchoRequest()).ResponseAsync);
        await FailureAsync(client.UnaryAsync(new EchoRequest()).ResponseAsync);
        Assert.Equal(5, failing.PreviousAttempts.Count);
        for (int i = 0; i < 8; i++) await client.UnaryAsync(new EchoRequest()); // all tokens are back
        failing.PreviousAttempts.Clear();
        await FailureAsync(client.UnaryAsync(new EchoRequest()).ResponseAsync);
        Assert.Equal(2, failing.PreviousAttempts.Count);
    }

    [Fact]
    public async Task Stream_that_the_server_refuses_unseen_is_sent_again_without_a_policy()
    {
        int requests = 0;
        await using EchoHost host = await EchoHost.StartAsync(map: app => app.Use((http, next) =>
        {
            if (Interlocked.Increment(ref requests) > 1) return next(http);
            http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(7); // REFUSED_STREAM
            return Task.CompletedTask;
        }));
        Assert.Equal("x", (await host.Client().UnaryAsync(new EchoRequest { Text = "x" })).Text);
        Assert.Equal(2, requests);
    }

    [Fact]
    public async Task Methods_configured_timeout_is_the_deadline_unless_the_calls_own_is_earlier()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        Echo.EchoClient client = host.Client(options => options.ServiceConfig = new ServiceConfig
        {
            MethodConfigs =
            {
                new MethodConfig { Names = { MethodName.Default }, Timeout = TimeSpan.FromSeconds(100) },
                new MethodConfig { Names = { new MethodName { Service = "recsys.test.Echo", Method = "ServerStream" } }, Timeout = TimeSpan.FromMilliseconds(100) },
            },
        });
        Assert.InRange((await client.UnaryAsync(new EchoRequest())).RemainingMs, 90_000, 100_000);
        Assert.InRange((await client.UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(20))).RemainingMs, 15_000, 20_000);
        using AsyncServerStreamingCall<EchoResponse> call = client.ServerStream(new EchoRequest { Wait = true });
        Assert.Equal(StatusCode.DeadlineExceeded, (await FailureAsync(call.ResponseStream.MoveNext())).StatusCode);
    }

    [Fact]
    public void Config_is_checked_whole()
    {
        var config = new ServiceConfig
        {
            MethodConfigs = { new MethodConfig { Names = { new MethodName { Method = "M" } }, Timeout = TimeSpan.Zero, RetryPolicy = new RetryPolicy { MaxAttempts = 1 } } },
            RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 2000, TokenRatio = 0 },
        };
        string message = Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("http://x", new GrpcChannelOptions { ServiceConfig = config })).Message;
        foreach (string fault in new[] { "method 'M' without its service", "Timeout is 00:00:00", "MaxAttempts is 1", "InitialBackoff is not set", "RetryableStatusCodes is empty", "MaxTokens is 2000", "TokenRatio is 0" })
        {
            Assert.Contains(fault, message);
        }
    }
}
