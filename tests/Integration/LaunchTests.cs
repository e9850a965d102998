using Recsys.Store;
using Recsys.Torch;

namespace Recsys.Integration.Tests;

/// <summary>Several ranks by the real launcher: their models are one process's models, and a killed rank costs time alone.</summary>
[Collection(WorldCollection.Name)]
public sealed class LaunchTests : IDisposable
{
    private const int Patience = 120_000;

    /// <summary>
    /// As the world's, in float32, with everything that ranks share: dropout, a dense head, an RQ-VAE. 16 channels are two for each group
    /// of the group norms: of one alone, the norm takes the bias before it away, and AdamW makes whole steps of the rounding that is left.
    /// </summary>
    private const string Config = """
        {
          "seed": 5,
          "checkpoint_seconds": 0,
          "quantizer": { "kind": "rqvae", "levels": 3, "codebook_size": 16, "rq_vae": { "epochs": 4, "warm_up_epochs": 1, "batch_size": 256, "hidden": [32] } },
          "retrieval": { "dim": 32, "layers": 1, "heads": 2, "min_steps": 20, "max_steps": 20, "batch_tokens": 2000, "beam": 20, "b_float16": false, "dense_loss": 0.2, "ema": 0.9 },
          "creative": { "image_size": 16, "steps": 12, "batch_size": 15, "warmup_steps": 2, "bf16": false, "recipe": { "denoiser": { "channels": 16, "multipliers": [1, 2], "blocks": 1, "attention_levels": [1], "head_channels": 8 } } },
          "gates": { "users": 100, "max_collision_share": 1, "min_recall_ratio": 0 }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-launch-").FullName;

    public LaunchTests(World world)
    {
        File.WriteAllText(ConfigFile, Config);
        foreach (string file in Directory.EnumerateFiles(world.Data, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "default.json"))
        {
            string copy = Path.Combine(Data, Path.GetRelativePath(world.Data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>The world's dataset, its embeddings now brought ones: they are not made again.</summary>
    private string Data => Path.Combine(_folder, "dataset");

    private string ConfigFile => Path.Combine(_folder, "config.json");

    [Fact(Timeout = Patience)]
    public async Task Two_ranks_make_the_models_of_one_and_a_killed_rank_changes_no_byte_of_them()
    {
        var alone = await Cli.DoneAsync(Rebuild("alone"));
        var together = await Cli.DoneAsync(["launch", "--nproc", "2", "--", .. Rebuild("together")]);
        var (one, two) = (Version("alone", alone), Version("together", together));
        Assert.Equal(0, ShareOff(one, two, "codebook/codebook.safetensors"));
        Assert.Equal(Codes(one), Codes(two));
        Assert.Equal(0, ShareOff(one, two, "retrieval/model.safetensors"));
        Assert.Equal(0, ShareOff(one, two, "creative/creative.safetensors"));
        Assert.Contains("[0] retrieval", together.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("[1] retrieval", together.Error, StringComparison.Ordinal); // rank 0 alone reports
        Assert.False(Directory.Exists(Path.Combine(_folder, "together", ".checkpoints")));

        // kill -9 of rank 0 after its twelfth checkpoint; the restarted one has seven left to write.
        var killed = await Cli.DoneAsync(("RECSYS_KILL_AT", "retrieval/checkpoint:12"), ["launch", "--nproc", "2", "--", .. Rebuild("killed")]);
        Assert.Contains("rank 0 was killed by signal 9", killed.Error, StringComparison.Ordinal);
        Assert.Contains("[1] recsys: ", killed.Error, StringComparison.Ordinal);
        Assert.Contains("restart 1 of at most 3", killed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("restart 2", killed.Error, StringComparison.Ordinal); // from the beginning it would have come to its twelfth again
        var three = Version("killed", killed);
        foreach (string file in new[] { "retrieval/model.safetensors", "creative/creative.safetensors" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(two, file)), File.ReadAllBytes(Path.Combine(three, file)));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task What_a_rank_refuses_is_not_tried_again()
    {
        var refused = await Cli.RunAsync("launch", "--nproc", "2", "--", "embed", "--data", Data);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("does not run on several ranks", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("restart", refused.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string[] Rebuild(string versions) => ["rebuild", "--data", Data, "--out", Path.Combine(_folder, versions), "--config", ConfigFile, "--json"];

    private string Version(string versions, Cli.Result result) => Path.Combine(_folder, versions, result.Json.GetProperty("version").GetString()!);

    private static string[] Codes(string version) =>
        [.. new VersionStore(Path.GetDirectoryName(version)!).Open(Path.GetFileName(version)).Items.SemanticIds.Select(id => id.ToString())];

    /// <summary>The share of a model's values that differ by more than 1e-5.</summary>
    private static double ShareOff(string expected, string actual, string file)
    {
        using var scope = torch.NewDisposeScope();
        var (one, two) = (SafetensorsFile.Load(Path.Combine(expected, file)), SafetensorsFile.Load(Path.Combine(actual, file)));
        Assert.Equal(one.Keys.Order(), two.Keys.Order());
        long off = one.Sum(entry => (entry.Value.to(torch.ScalarType.Float64) - two[entry.Key].to(torch.ScalarType.Float64)).abs().gt(1e-5).sum().item<long>());
        return (double)off / one.Sum(entry => entry.Value.numel());
    }
}
