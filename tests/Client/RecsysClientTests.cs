using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Recsys.V1;

namespace Recsys.Client.Tests;

public sealed class RecsysClientTests
{
    private static readonly RecommendRequest Request = new() { History = { "seen" }, K = 3 };

    [Fact]
    public async Task A_call_without_a_deadline_gets_one_and_another_keeps_its_own()
    {
        var deadlines = new List<TimeSpan>();
        await using var server = await FakeServer.StartAsync((_, _, context) =>
        {
            deadlines.Add(context.Deadline - DateTime.UtcNow);
            return Task.FromResult(new RecommendResponse());
        });
        using var client = Made(server.Address, options => options.Deadline = TimeSpan.FromMinutes(20));
        await client.RecommendAsync(Request);
        await client.Retrieval.RecommendAsync(Request, deadline: DateTime.UtcNow.AddHours(2));
        Assert.InRange(deadlines[0], TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(20));
        Assert.InRange(deadlines[1], TimeSpan.FromHours(1), TimeSpan.FromHours(2));
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, 3)]
    [InlineData(StatusCode.ResourceExhausted, 3)]
    [InlineData(StatusCode.InvalidArgument, 1)]
    [InlineData(StatusCode.Internal, 1)]
    public async Task What_another_time_may_answer_is_tried_again_and_nothing_else(StatusCode status, int calls)
    {
        await using var server = await FakeServer.StartAsync((call, _, _) => call < 3
            ? throw new RpcException(new Status(status, "not now"))
            : Task.FromResult(new RecommendResponse { Version = $"{call}" }));
        using var client = Made(server.Address);
        if (calls == 3)
        {
            Assert.Equal("3", (await client.RecommendAsync(Request)).Version);
        }
        else
        {
            Assert.Equal(status, (await Assert.ThrowsAsync<RpcException>(() => client.RecommendAsync(Request))).StatusCode);
        }

        Assert.Equal(calls, server.Calls);
    }

    [Fact]
    public async Task Where_nothing_ends_well_retries_end_and_each_call_is_made_once()
    {
        await using var server = await FakeServer.StartAsync(
            (_, _, _) => throw new RpcException(new Status(StatusCode.Unavailable, "away")));
        using var client = Made(server.Address);
        for (int i = 0; i < 60; i++)
        {
            await Assert.ThrowsAsync<RpcException>(() => client.RecommendAsync(Request));
        }

        Assert.InRange(server.Calls, 60, 72); // ten tokens' worth beyond; without a budget 180
    }

    [Fact]
    public async Task A_server_says_when_to_come_back_by_its_pushback()
    {
        var at = new List<long>();
        await using var server = await FakeServer.StartAsync((call, _, context) =>
        {
            at.Add(Stopwatch.GetTimestamp());
            context.ResponseTrailers.Add("grpc-retry-pushback-ms", "400");
            return call == 1
                ? throw new RpcException(new Status(StatusCode.ResourceExhausted, "later"))
                : Task.FromResult(new RecommendResponse());
        });
        using var client = Made(server.Address, options => options.Backoff = TimeSpan.FromMilliseconds(1));
        await client.RecommendAsync(Request);
        Assert.True(Stopwatch.GetElapsedTime(at[0], at[1]) >= TimeSpan.FromMilliseconds(390)); // never before it was told
    }

    [Theory]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.ResourceExhausted)]
    public async Task A_server_that_does_not_answer_is_replaced_by_the_callers_own_without_what_was_left_out(StatusCode status)
    {
        await using var server = await FakeServer.StartAsync((_, _, _) => throw new RpcException(new Status(status, "no")));
        using var client = Made(server.Address);
        var request = new RecommendRequest { History = { "seen" }, K = 2, ExcludeSeen = true, Exclude = { "sold" } };
        var answer = await client.RecommendOrElseAsync(request, () => ["sold", "seen", "a", "a", "b", "c"]);
        Assert.Equal(["a", "b"], answer.Ids);
        Assert.Equal((null, status), (answer.Answer, answer.Error!.StatusCode));
        request.Candidates = new ItemSet { ItemIds = { "c" } };
        Assert.Equal(["c"], (await client.RecommendOrElseAsync(request, () => ["a", "c"])).Ids);
    }

    [Fact]
    public async Task A_wrong_request_and_a_cancelled_one_are_thrown_and_an_answer_is_the_servers()
    {
        await using var server = await FakeServer.StartAsync(async (_, request, context) =>
        {
            if (request.K == 99)
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }

            return request.K < 0
                ? throw new RpcException(new Status(StatusCode.InvalidArgument, "k"))
                : new RecommendResponse { Items = { new RecommendedItem { ItemId = "x" } } };
        });
        using var client = Made(server.Address);
        string[] Never() => throw new InvalidOperationException("asked for a fallback");
        Assert.Equal(["x"], (await client.RecommendOrElseAsync(Request, Never)).Ids);
        await Assert.ThrowsAsync<RpcException>(() => client.RecommendOrElseAsync(new RecommendRequest { K = -1 }, Never));
        using var stop = new CancellationTokenSource();
        var waiting = client.RecommendOrElseAsync(new RecommendRequest { K = 99 }, Never, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAsync<RpcException>(() => waiting);
    }

    [Fact]
    public async Task Calls_and_fallbacks_are_told_to_OpenTelemetry()
    {
        var spans = new List<Activity>();
        using var spanListener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RecsysTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(spanListener);
        var measured = new List<(string Name, double Value, string? Method)>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == RecsysTelemetry.Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        meters.Start();

        // Other tests call at the same time: these have a deadline status of their own.
        await using var server = await FakeServer.StartAsync((_, _, _) => throw new RpcException(new Status(StatusCode.DataLoss, "torn")));
        using var client = Made(server.Address);
        await client.RecommendOrElseAsync(Request, () => []);
        Assert.Null(Activity.Current);
        Assert.Contains(spans.ToArray(), span => span.OperationName == "recsys.v1.Retrieval/Recommend" && span.Kind == ActivityKind.Client
            && span.Status == ActivityStatusCode.Error && Equals(span.GetTagItem("rpc.grpc.status_code"), (int)StatusCode.DataLoss));
        lock (measured)
        {
            Assert.Contains(measured, one => one is { Name: "rpc.client.duration", Value: > 0, Method: "Recommend" });
            Assert.Contains(measured, one => one is { Name: "recsys.client.fallbacks", Value: 1 });
        }

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (measured)
            {
                measured.Add((instrument.Name, value, tags.ToArray().FirstOrDefault(tag => tag.Key == "rpc.method").Value as string));
            }
        }
    }

    [Fact]
    public async Task A_name_is_resolved_to_the_servers_behind_it()
    {
        await using var server = await FakeServer.StartAsync((_, _, _) => Task.FromResult(new RecommendResponse { Version = "v1" }));
        using var client = Made($"dns:///localhost:{new Uri(server.Address).Port}");
        Assert.Equal("v1", (await client.RecommendAsync(Request)).Version);
    }

    [Fact]
    public void Options_out_of_range_are_refused_together_with_what_is_allowed()
    {
        var error = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddRecsysClient("nowhere", options =>
        {
            (options.Deadline, options.Attempts, options.RetryBudget) = (TimeSpan.Zero, 6, 0);
            options.Backoff = TimeSpan.FromMinutes(1);
        }));
        Assert.All(
            ["Address is 'nowhere'", "Deadline is 00:00:00", "Attempts is 6", "RetryBudget is 0", "Backoff is 00:01:00"],
            told => Assert.Contains(told, error.Message, StringComparison.Ordinal));
        using var services = new ServiceCollection().AddRecsysClient("http://localhost:1").BuildServiceProvider();
        Assert.Same(services.GetRequiredService<RecsysClient>(), services.GetRequiredService<RecsysClient>());
    }

    private static RecsysClient Made(string address, Action<RecsysClientOptions>? configure = null)
    {
        var options = new RecsysClientOptions
        {
            Address = address, Deadline = TimeSpan.FromMinutes(1), Backoff = TimeSpan.FromMilliseconds(2),
        };
        configure?.Invoke(options);
        return new RecsysClient(options);
    }
}
