using Recsys.Cli.Terminal;

namespace Recsys.Integration.Tests;

/// <summary><c>eval</c> on the world's version: one version, two of them, and saved results.</summary>
[Collection(WorldCollection.Name)]
public sealed class EvalCommandTests(World world)
{
    [Fact]
    public async Task Eval_prints_what_a_comparison_needs()
    {
        var result = await Cli.DoneAsync(
            "eval", "--data", world.Data, "--versions", world.Versions, "--version", world.Version, "--json");
        var json = result.Json;
        string[] names =
        [
            "users", "recall@5", "ndcg@5", "recall@10", "ndcg@10", "invalid", "duplicates", "seed", "training_seed", "split_sha256",
            "baselines", "labels",
        ];
        foreach (string name in names)
        {
            Assert.True(json.TryGetProperty(name, out _), $"{name} is missing");
        }

        Assert.Equal(300, json.GetProperty("users").GetInt32());
        Assert.Equal(0, json.GetProperty("invalid").GetInt32());
        Assert.Equal(0, json.GetProperty("duplicates").GetInt32());
        Assert.True(json.GetProperty("baselines").TryGetProperty("popularity", out _));
        foreach (string protocol in (string[])["strict", "strict_unseen", "open"])
        {
            var rows = json.GetProperty("protocols").GetProperty(protocol);
            foreach (string row in (string[])["sum", "generative", "id", "content", "transitions", "popularity", "item_knn"])
            {
                Assert.InRange(rows.GetProperty(row).GetProperty("recall@10").GetDouble(), 0, 1);
                Assert.Equal(2, rows.GetProperty(row).GetProperty("interval").GetArrayLength());
            }

            var analysis = json.GetProperty("analysis").GetProperty(protocol);
            Assert.Equal(
                300, analysis.GetProperty("popularity").EnumerateObject().Sum(slice => slice.Value.GetProperty("users").GetInt32()));
            Assert.InRange(analysis.GetProperty("lists").GetProperty("coverage").GetDouble(), 0.001, 1);
            Assert.Equal(
                rows.GetProperty("sum").GetProperty("recall@10").GetDouble(),
                analysis.GetProperty("calibration").GetProperty("observed").GetDouble(), 9);
        }
    }

    [Fact]
    public async Task Eval_compares_two_versions_user_by_user_and_refuses_one_of_another_split()
    {
        string versions = world.CopyVersions("against"), config = Path.Combine(world.Folder, "counts.json");
        await File.WriteAllTextAsync(config, """
            {
              "pictures": false, "embeddings": { "image": { "encoder": "pca" } },
              "quantizer": { "levels": 3, "codebook_size": 16 }, "retrieval": { "id": null, "content": null, "generative": null },
              "gates": { "users": 100, "max_collision_share": 1, "min_popularity_ratio": 0, "max_recall_loss": 1 }
            }
            """);
        string[] rebuild = ["rebuild", "--out", versions, "--config", config, "--json", "--data"];
        var counts = (await Cli.DoneHereAsync([.. rebuild, world.Data])).Json.GetProperty("version").GetString()!;
        string page = Path.Combine(world.Folder, "eval.html");
        string[] eval = ["eval", "--versions", versions, "--version", counts, "--against", world.Version, "--json", "--data"];
        var json = (await Cli.DoneHereAsync([.. eval, world.Data, "--html", page])).Json;
        var differences = json.GetProperty("comparison").GetProperty("differences").EnumerateArray().ToList();
        Assert.Equal(6, differences.Count); // of two metrics under three protocols
        Assert.Contains(differences, one => one.GetProperty("differing").GetDouble() > 0);
        Assert.All(differences, one =>
        {
            var difference = one.GetProperty("difference");
            double value = difference.GetProperty("value").GetDouble();
            Assert.Equal(one.GetProperty("after").GetDouble() - one.GetProperty("before").GetDouble(), value, 9);
            Assert.InRange(value, difference.GetProperty("low").GetDouble(), difference.GetProperty("high").GetDouble());
            Assert.Equal(
                json.GetProperty("protocols").GetProperty(one.GetProperty("protocol").GetString()!).GetProperty("sum")
                    .GetProperty(one.GetProperty("metric").GetString()!).GetDouble(),
                one.GetProperty("after").GetDouble());
        });
        Assert.Contains($"{counts} minus {world.Version}", await File.ReadAllTextAsync(page), StringComparison.Ordinal);

        string data = Path.Combine(world.Folder, "another-split");
        CopyFolder(world.Data, data);
        var lines = await File.ReadAllLinesAsync(Path.Combine(data, "sequences.txt"));
        await File.WriteAllLinesAsync(Path.Combine(data, "sequences.txt"), lines[1..]);
        eval[4] = (await Cli.DoneHereAsync([.. rebuild, data])).Json.GetProperty("version").GetString()!;
        var refused = await Cli.HereAsync([.. eval, data]);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.Precondition, refused.ExitCode);
        Assert.Contains(world.Version, refused.Error, StringComparison.Ordinal);
        Assert.Contains("split", refused.Error, StringComparison.Ordinal);
        var nowhere = await Cli.HereAsync([.. eval, data, "--html", Path.Combine(world.Folder, "no-folder", "eval.html")]);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.NotFound, nowhere.ExitCode);
    }

    [Fact]
    public async Task A_saved_result_becomes_a_row_of_a_markdown_table()
    {
        string saved = Path.Combine(world.Folder, "tiny.5.json"), page = Path.Combine(world.Folder, "page.md");
        var result = await Cli.DoneHereAsync(
            "eval", "--data", world.Data, "--versions", world.Versions, "--version", world.Version, "--json");
        await File.WriteAllTextAsync(saved, result.Output);
        await File.WriteAllTextAsync(page, "before\n<!-- figures: ./recsys eval table -->\nold\n<!-- end of figures -->\nbehind\n");
        string table = (await Cli.DoneHereAsync("eval", "table", saved, "--into", page)).Output;
        Assert.Contains("| [tiny](configs/tiny.json) | `strict_unseen` | 1 | 300 |", table, StringComparison.Ordinal);
        Assert.Equal(
            $"before\n<!-- figures: ./recsys eval table -->\n{table}<!-- end of figures -->\nbehind\n", await File.ReadAllTextAsync(page));
        var refused = await Cli.HereAsync("eval", "table", Path.Combine(world.Folder, "no-such.json"));
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.NotFound, refused.ExitCode);
    }

    [Fact]
    public async Task A_version_is_not_scored_on_a_split_it_was_not_built_on()
    {
        string data = Path.Combine(world.Folder, "other-split");
        CopyFolder(world.Data, data);
        var lines = await File.ReadAllLinesAsync(Path.Combine(data, "sequences.txt"));
        lines[0] = string.Join(' ', lines[0].Split(' ').Take(4));
        await File.WriteAllLinesAsync(Path.Combine(data, "sequences.txt"), lines);
        var result = await Cli.HereAsync("eval", "--data", data, "--versions", world.Versions, "--version", world.Version);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.Precondition, result.ExitCode);
        Assert.Contains("split", result.Error, StringComparison.Ordinal);
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

}
