using Recsys.Cli.Demo.Shoppers;
using Recsys.Datasets;
using Recsys.Store.Versions;

namespace Recsys.Integration.Tests;

/// <summary>
/// A small catalogue and the version that the real command line made of it: once, for all tests of this project. Those that break
/// things, or start servers and rebuilds of their own, do so with <see cref="CopyVersions"/>, side by side with the others.
/// </summary>
public class TrainedVersion : IAsyncLifetime
{
    /// <summary>A rebuild of seconds: the real code at the smallest sizes that still learn.</summary>
    public const string TinyConfig = """
        {
          "seed": 5,
          "embeddings": { "image": { "encoder": "pca" } },
          "quantizer": { "kind": "residual-kmeans", "levels": 3, "codebook_size": 16 },
          "retrieval": {
            "id": { "dim": 32, "layers": 1, "heads": 2, "min_steps": 20, "max_steps": 20, "batch_items": 500, "patience": 20 },
            "content": { "dim": 32, "layers": 1, "heads": 2, "min_steps": 20, "max_steps": 20, "batch_items": 500, "patience": 20 },
            "generative": { "dim": 32, "layers": 1, "heads": 2, "min_steps": 20, "max_steps": 20, "batch_items": 500, "patience": 20 },
            "beam": 20
          },
          "creative": {
            "image_size": 16, "steps": 12, "batch_size": 16, "warmup_steps": 2,
            "recipe": {
              "denoiser": { "channels": 8, "multipliers": [1, 2], "blocks": 1, "attention_levels": [1], "head_channels": 8 }
            }
          },
          "gates": { "users": 100, "max_collision_share": 1, "min_popularity_ratio": 0, "max_recall_loss": 1 }
        }
        """;

    private static readonly Lazy<Task> Made = new(MakeAsync);

    public static string Root { get; } = Directory.CreateTempSubdirectory("recsys-world-").FullName;

    public string Folder => Root;

    public string Data => Path.Combine(Folder, "dataset");

    public string Versions => Path.Combine(Folder, "versions");

    public string Config => Path.Combine(Folder, "tiny.json");

    /// <summary>The version that the first rebuild made.</summary>
    public string Version { get; private set; } = "";

    public string[] ItemIds { get; private set; } = [];

    public virtual async Task InitializeAsync()
    {
        await Made.Value;
        using var dataset = Dataset.Open(Data);
        ItemIds = [.. dataset.ItemIds];
        Version = new VersionStore(Versions).List()[0].Version;
    }

    public virtual Task DisposeAsync() => Task.CompletedTask;

    internal Task<Cli.Result> Rebuild(params string[] more) =>
        Cli.DoneHereAsync(["rebuild", "--data", Data, "--out", Versions, "--config", Config, "--json", .. more]);

    /// <summary>A folder of versions of one's own, with the sealed version in it, noted as active, and no Redis yet:
    /// what is left after Redis was lost.</summary>
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

    private static async Task MakeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Root, recursive: true);
        var made = new TrainedVersion();
        await File.WriteAllTextAsync(made.Config, TinyConfig);
        string stickers = Path.Combine(RepositoryRoot.Path, "samples", "stickers");
        SimulatedDataset.Write(stickers, made.Data, new StickerShopperOptions { Shoppers = 300 });
        await made.Rebuild();
    }
}
