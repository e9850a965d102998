using System.Text.Json;
using Recsys.Grpc.Tests.Hosting;

namespace Recsys.Grpc.Tests;

/// <summary>@grpc/grpc-js as the client of our server; the cases are in interop/client.js.</summary>
public sealed class OfficialClientTests(OfficialClientTests.Run run) : IClassFixture<OfficialClientTests.Run>
{
    /// <summary>All cases in one process; each test looks at its own.</summary>
    public sealed class Run : IAsyncLifetime
    {
        public Dictionary<string, string?> Results { get; } = [];

        public async Task InitializeAsync()
        {
            if (Node.MissingMessage is not null) return;
            await using EchoHost host = await EchoHost.StartAsync();
            await using EchoHost limited = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = 10_000);
            using var node = Node.Start("client.js", new Uri(host.Address).Authority, new Uri(limited.Address).Authority);
            while (await node.StandardOutput.ReadLineAsync() is { } line)
            {
                using JsonDocument result = JsonDocument.Parse(line);
                Results[result.RootElement.GetProperty("case").GetString()!] = result.RootElement.GetProperty("error").GetString();
            }
            await node.WaitForExitAsync();
            await host.Probe.Cancelled.Task;
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }

    [NodeTheory]
    [InlineData("unary")]
    [InlineData("server_stream")]
    [InlineData("server_stream_without_messages")]
    [InlineData("client_stream")]
    [InlineData("duplex")]
    [InlineData("binary_metadata")]
    [InlineData("unicode_status")]
    [InlineData("status_after_messages")]
    [InlineData("unimplemented")]
    [InlineData("deadline")]
    [InlineData("cancel_in_mid_stream")]
    [InlineData("gzip_both_ways")]
    [InlineData("gzip_stream")]
    [InlineData("size_limit_exact_and_one_over")]
    [InlineData("large_message")]
    [InlineData("a_hundred_streams_at_once")]
    public void Official_client_agrees_with_our_server(string name)
    {
        Assert.True(run.Results.TryGetValue(name, out string? error), $"client.js did not report '{name}'.");
        Assert.True(error is null, error);
    }

    [NodeFact]
    public void Every_case_of_the_script_is_looked_at()
    {
        string[] looked = [.. typeof(OfficialClientTests).GetMethod(nameof(Official_client_agrees_with_our_server))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Select(data => (string)((InlineDataAttribute)data).GetData(null!).Single()[0])];
        Assert.Equal(looked.Order(), run.Results.Keys.Order());
    }
}
