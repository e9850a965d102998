using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Recsys.Grpc.Tests.Hosting;
using Xunit.Sdk;

namespace Recsys.Grpc.Tests;

/// <summary>The official clients of our server; the cases, the same for all, are in interop/client.js and interop/client.py.</summary>
public sealed class OfficialClientTests(OfficialClientTests.Runs runs) : IClassFixture<OfficialClientTests.Runs>
{
    public const int Limit = 10_000;

    /// <summary>For each peer all cases in one process; each test looks at its own.</summary>
    public sealed class Runs
    {
        private readonly ConcurrentDictionary<string, Lazy<Task<Dictionary<string, string?>>>> _results = [];

        public Task<Dictionary<string, string?>> OfAsync(string peer) =>
            _results.GetOrAdd(peer, name => new(() => RunAsync(OfficialPeer.Named(name)))).Value;

        private static async Task<Dictionary<string, string?>> RunAsync(OfficialPeer peer)
        {
            await using EchoHost host = await EchoHost.StartAsync();
            await using EchoHost limited = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = Limit);
            await using var tap = new Http2Tap(host.Address);
            var results = new Dictionary<string, string?>();
            using Process client = peer.Start("client", new Uri(host.Address).Authority, new Uri(limited.Address).Authority, new Uri(tap.Address).Authority);
            while (await client.StandardOutput.ReadLineAsync() is { } line)
            {
                using JsonDocument result = JsonDocument.Parse(line);
                results[result.RootElement.GetProperty("case").GetString()!] = result.RootElement.GetProperty("error").GetString();
            }
            await client.WaitForExitAsync();
            await host.Probe.Cancelled.Task;
            results["keep_alive_pings_are_answered"] = tap.ClientPings >= 3 && tap.Acks >= tap.ClientPings - 1
                ? null
                : $"The client sent {tap.ClientPings} pings; {tap.Acks} were answered.";
            return results;
        }
    }

    /// <summary>A row for each case.</summary>
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    private sealed class CasesAttribute : DataAttribute
    {
        public static readonly string[] Names =
        [
            "unary", "server_stream", "server_stream_without_messages", "client_stream", "duplex", "half_close_before_the_answers", "server_ends_before_half_close",
            "binary_metadata", "unicode_message", "status_after_messages", "status_with_details", "unimplemented",
            "deadline_ends_the_call", "deadline_reaches_the_server", "cancel_in_mid_stream", "gzip_both_ways", "gzip_stream",
            "request_of_exactly_the_limit_and_one_byte_more", "response_of_exactly_the_limit_and_one_byte_more", "large_message",
            "a_thousand_streams_at_once", "keep_alive", "keep_alive_pings_are_answered",
        ];

        private readonly OfficialPeer _peer;

        public CasesAttribute(string peer)
        {
            _peer = OfficialPeer.Named(peer);
            Skip = _peer.Missing;
        }

        public override IEnumerable<object[]> GetData(MethodInfo testMethod) => Names.Select(name => new object[] { _peer.Name, name });
    }

    [Theory]
    [Cases("javascript")]
    [Cases("python")]
    public async Task Official_client_agrees_with_our_server(string peer, string name)
    {
        Dictionary<string, string?> results = await runs.OfAsync(peer);
        Assert.True(results.TryGetValue(name, out string? error), $"The {peer} client did not report '{name}'.");
        Assert.True(error is null, error);
    }

    [Theory]
    [JavaScript]
    [Python]
    public async Task Every_case_of_the_script_is_looked_at(string peer)
    {
        Assert.Equal(CasesAttribute.Names.Order(), (await runs.OfAsync(peer)).Keys.Order());
    }
}
