using Grpc.Net.Client;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Cli.Demo;
using Recsys.Datasets;
using Recsys.Store.Versions;

namespace Recsys.Integration.Tests;

[CollectionDefinition(Name)]
public sealed class WorldCollection : ICollectionFixture<World>
{
    public const string Name = "world";
}

/// <summary>
/// A small catalogue built by the real command line, served by the real server over the real Redis. Every test of the collection
/// shares it; tests that break things build their own with <see cref="CopyVersions"/>.
/// </summary>
public sealed class World : IAsyncLifetime
{
    /// <summary>A rebuild of seconds: the real code at the smallest sizes that still learn.</summary>
    public const string TinyConfig = """
        {
          "seed": 5,
          "embeddings": { "image": { "encoder": "pca" } },
          "quantizer": { "kind": "residual-kmeans", "levels": 3, "codebook_size": 16 },
          "retrieval": { "dim": 32, "layers": 1, "heads": 2, "min_steps": 20, "max_steps": 20, "batch_tokens": 2000, "beam": 20 },
          "creative": { "image_size": 16, "steps": 12, "batch_size": 16, "warmup_steps": 2, "recipe": { "denoiser": { "channels": 8, "multipliers": [1, 2], "blocks": 1, "attention_levels": [1], "head_channels": 8 } } },
          "gates": { "users": 100, "max_collision_share": 1, "min_popularity_ratio": 0, "max_recall_loss": 1 }
        }
        """;

    private ServerProcess? _server;

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "recsys-world-" + Guid.NewGuid().ToString("N")[..8]);

    public string Data => Path.Combine(Folder, "dataset");

    public string Versions => Path.Combine(Folder, "versions");

    public string Config => Path.Combine(Folder, "tiny.json");

    /// <summary>The version that the first rebuild made.</summary>
    public string Version { get; private set; } = "";

    public string[] ItemIds { get; private set; } = [];

    public GrpcChannel Channel { get; private set; } = null!;

    public string Address => _server!.Address;

    public int ServerId => _server!.Id;

    /// <summary>Where the same server answers JSON.</summary>
    public string HttpAddress => _server!.HttpAddress;

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(Config, TinyConfig);
        SimulatedDataset.Write(Path.Combine(Cli.Root, "samples", "stickers"), Data, new StickerShopperOptions { Shoppers = 300 });
        using (var dataset = Dataset.Open(Data))
        {
            ItemIds = [.. dataset.ItemIds];
        }

        Version = (await Rebuild()).Json.GetProperty("version").GetString()!;
        _server = await ServerProcess.StartAsync(Versions, Path.Combine(Folder, "server.log"), CancellationToken.None);
        Channel = GrpcChannel.ForAddress(_server.Address);
    }

    internal Task<Cli.Result> Rebuild(params string[] more) =>
        Cli.DoneAsync(["rebuild", "--data", Data, "--out", Versions, "--config", Config, "--json", .. more]);

    /// <summary>A folder of versions of one's own, with the sealed version in it, noted as active, and no Redis yet: what is left after Redis was lost.</summary>
    public string CopyVersions(string name)
    {
        string target = Path.Combine(Folder, name);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Versions, Version), "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(Versions, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        new VersionStore(target).NoteActive(Version);
        return target;
    }

    public async Task DisposeAsync()
    {
        Channel?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
        Directory.Delete(Cli.Cache, recursive: true);
    }
}
