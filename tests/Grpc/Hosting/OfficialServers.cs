using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Net.Client;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>Echo servers of the official implementations, started when first asked for. They receive messages up to 1,000,000 bytes.</summary>
public sealed class OfficialServers : IAsyncLifetime
{
    public const int Limit = 1_000_000;

    private readonly ConcurrentDictionary<(string Peer, bool Gzip), Lazy<Task<(Process Process, string Address)>>> _started = [];
    private readonly ConcurrentBag<GrpcChannel> _channels = [];

    /// <param name="peer">"javascript" or "python".</param>
    /// <param name="gzip">A server that compresses its answers.</param>
    /// <param name="configure">Of the channel.</param>
    public async Task<Echo.EchoClient> ClientAsync(string peer, bool gzip = false, Action<GrpcChannelOptions>? configure = null) =>
        Client(await AddressAsync(peer, gzip), configure);

    public async Task<string> AddressAsync(string peer, bool gzip = false) =>
        (await _started.GetOrAdd((peer, gzip), key => new(() => StartAsync(key.Peer, key.Gzip))).Value).Address;

    public Echo.EchoClient Client(string address, Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions();
        configure?.Invoke(options);
        GrpcChannel channel = GrpcChannel.ForAddress(address, options);
        _channels.Add(channel);
        return new Echo.EchoClient(channel);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (GrpcChannel channel in _channels) channel.Dispose();
        foreach (Lazy<Task<(Process Process, string Address)>> started in _started.Values)
        {
            using Process process = (await started.Value).Process;
            process.StandardInput.Close();
            await process.WaitForExitAsync();
        }
    }

    private static async Task<(Process Process, string Address)> StartAsync(string peer, bool gzip)
    {
        Process process = OfficialPeer.Named(peer).Start("server", gzip ? ["gzip"] : []);
        string port = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"The {peer} server ended without a port.");
        return (process, $"http://127.0.0.1:{port}");
    }
}
