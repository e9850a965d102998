using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>Damaged requests over real HTTP/2 connections: 50,000, and 1,000,000 with RECSYS_FULL=1.</summary>
[Collection(nameof(Alone))]
public sealed class RequestFuzzTests
{
    private const int Limit = 1000, Parallelism = 32;

    private static readonly string[] Methods = ["Unary", "Unary", "ServerStream", "ClientStream", "Duplex"];

    private sealed record Damaged(string Method, byte[] Body, string ContentType, string? Encoding, string Timeout, bool TimeoutIsWrong, bool BinaryIsWrong);

    private static Damaged Request(int seed)
    {
        var random = new Random(seed);
        string Pick(int of, string usual, params string[] others) => random.Next(of) == 0 ? others[random.Next(others.Length)] : usual;
        // A mutation may ask the service to wait for ever, or for very many responses; the deadline ends that.
        string timeout = Pick(12, "400m", "400", "m", "-1S", "1x", "123456789S", "4 m");
        return new Damaged(
            Methods[random.Next(Methods.Length)],
            Mutation.Body(random),
            Pick(20, "application/grpc", "application/grpc+proto", "application/json", "application/grpcx", "text/html"),
            random.Next(3) switch { 0 => null, 1 => "gzip", _ => Pick(2, "gzip", "identity", "snappy", "deflate") },
            timeout, timeout != "400m", random.Next(20) == 0);
    }

    [Fact]
    public async Task Each_damaged_request_gets_its_status_and_nothing_grows()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = Limit);
        host.Probe.Stubborn = false;
        using RawClient raw = host.Raw();
        var answers = new ConcurrentDictionary<int, int>();
        int count = Mutation.Count(full: 1_000_000, small: 50_000);
        await RunAsync(raw, 0, count / 5, answers);
        ProcessGauge before = ProcessGauge.Read();
        await RunAsync(raw, count / 5, count, answers);
        ProcessGauge after = ProcessGauge.Read();

        Assert.Equal(count, answers.Values.Sum());
        foreach (StatusCode code in new[] { StatusCode.OK, StatusCode.Internal, StatusCode.ResourceExhausted, StatusCode.Unimplemented })
        {
            Assert.Contains((int)code, answers.Keys);
        }
        ProcessGauge.AssertNoGrowth(before, after);
        // Only a request that asks for a crash may be logged as an error.
        host.ExpectsErrors = host.Log.Errors.All(error => error.Contains("InvalidOperationException", StringComparison.Ordinal));
        Assert.Equal("alive", (await host.Client().UnaryAsync(new EchoRequest { Text = "alive" })).Text);
    }

    private static Task RunAsync(RawClient raw, int from, int to, ConcurrentDictionary<int, int> answers) =>
        Parallel.ForAsync(from, to, new ParallelOptions { MaxDegreeOfParallelism = Parallelism }, async (seed, _) =>
        {
            Damaged request = Request(seed);
            List<(string, string)> headers = [("content-type", request.ContentType), ("grpc-timeout", request.Timeout)];
            if (request.Encoding is not null) headers.Add(("grpc-encoding", request.Encoding));
            if (request.BinaryIsWrong) headers.Add(("x-a-bin", "A"));
            using RawClient.Answer answer = await raw.PostAsync($"/recsys.test.Echo/{request.Method}", request.Body, [.. headers]);
            Check(seed, request, answer);
            answers.AddOrUpdate(answer.Status ?? -1, 1, (_, known) => known + 1);
        });

    private static void Check(int seed, Damaged request, RawClient.Answer answer)
    {
        string got = $"seed {seed}: {request.Method} got HTTP {(int)answer.Http}, {answer.Status} {answer.Message}";
        if (request.ContentType is not ("application/grpc" or "application/grpc+proto"))
        {
            Assert.True(answer.Http == HttpStatusCode.UnsupportedMediaType, got);
            return;
        }
        Assert.True(answer.Http == HttpStatusCode.OK && answer.Status is not null, got);
        if (request.TimeoutIsWrong) Assert.True(answer.Status == (int)StatusCode.Internal, got);
        else if (request.Method == "Unary") Assert.True(IsRight(answer.Status!.Value, Expected(request)), $"{got}, expected {string.Join(" or ", Expected(request))}");
    }

    /// <summary>The status of a unary call, where the service does what a request that survived the damage says.</summary>
    private static StatusCode[] Expected(Damaged request)
    {
        (EchoRequest? message, StatusCode end) = FramingOracle.ReadSingle(request.Body, request.Encoding, Limit);
        if (message is null) return [end, StatusCode.Internal];
        if (request.BinaryIsWrong) return [StatusCode.Internal];
        if (message.Crash.Length > 0) return [StatusCode.Unknown];
        if (message.FailCode > 0) return [(StatusCode)message.FailCode];
        if (message.Wait) return [StatusCode.DeadlineExceeded];
        return [StatusCode.OK];
    }

    /// <summary>On a busy machine any call may meet its deadline.</summary>
    private static bool IsRight(int status, StatusCode[] expected) => expected.Contains((StatusCode)status) || status == (int)StatusCode.DeadlineExceeded;
}
