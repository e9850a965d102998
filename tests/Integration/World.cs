using Grpc.Net.Client;
using Recsys.Cli.Demo;

namespace Recsys.Integration.Tests;

[CollectionDefinition(Name)]
public sealed class WorldCollection : ICollectionFixture<World>
{
    public const string Name = "world";
}

/// <summary>The trained version, served by the real server over the real Redis. Every test of the collection shares it.</summary>
public sealed class World : TrainedVersion
{
    private ServerProcess? _server;

    public GrpcChannel Channel { get; private set; } = null!;

    public string Address => _server!.Address;

    public int ServerId => _server!.Id;

    /// <summary>Where the same server answers JSON.</summary>
    public string HttpAddress => _server!.HttpAddress;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _server = await ServerProcess.StartAsync(Versions, Path.Combine(Folder, "server.log"), CancellationToken.None);
        Channel = GrpcChannel.ForAddress(_server.Address);
    }

    public override async Task DisposeAsync()
    {
        Channel?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
