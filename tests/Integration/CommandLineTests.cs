using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Recsys.Cli.Terminal;
using Recsys.Cli.Verbs;

namespace Recsys.Integration.Tests;

/// <summary>The command line as a user meets it: exit codes, JSON, the README's commands, and what is refused.</summary>
[Collection(WorldCollection.Name)]
public sealed partial class CommandLineTests(World world)
{
    [Fact]
    public void Every_command_of_the_readme_and_the_docs_parses()
    {
        string root = RepositoryRoot.Path;
        var pages = Directory.GetFiles(Path.Combine(root, "docs"), "*.md").Append(Path.Combine(root, "README.md"));
        var commands = pages.SelectMany(File.ReadLines).Select(line => CommandLine().Match(line))
            .Where(match => match.Success).Select(match => match.Groups[1].Value.Trim()).ToList();
        Assert.True(commands.Count >= 12, $"only {commands.Count} commands found");
        foreach (string command in commands.Where(command => command.Split(' ')[0] != "test"))
        {
            var parsed = CommandTree.Parse([.. CommandLineParser.SplitCommandLine(command)]);
            Assert.True(parsed.Errors.Count == 0, $"./recsys {command}: {string.Join("; ", parsed.Errors)}");
        }
    }

    [Fact]
    public async Task Client_verbs_answer_from_the_running_server()
    {
        string[] server = ["--server", world.Address, "--json"];
        var recommended = (await Cli.DoneAsync(["recommend", world.ItemIds[0], world.ItemIds[1], "-k", "5", .. server])).Json;
        Assert.Equal(5, recommended.GetProperty("items").GetArrayLength());

        string[] encode = ["encode", "--data", world.Data, "--config", world.Config, "--items", world.ItemIds[0]];
        var encoded = (await Cli.DoneHereAsync([.. encode, .. server])).Json;
        var looked = (await Cli.DoneHereAsync(["encode", "--lookup", world.ItemIds[0], .. server])).Json;
        string id = looked.GetProperty("items")[0].GetProperty("semantic_id").GetString()!;
        Assert.Equal(id.Split('#')[0], encoded.GetProperty("items")[0].GetProperty("semantic_id").GetString()!.Split('#')[0]);

        // Codes are one thing, ids another: an id that is a number is no prefix.
        string codes = id.Split('#')[0];
        var below = (await Cli.DoneHereAsync(["encode", "--prefix", codes, .. server])).Json.GetProperty("prefixes")[0];
        Assert.Contains(below.GetProperty("item_ids").EnumerateArray(), item => item.GetString() == world.ItemIds[0]);
        var number = (await Cli.DoneHereAsync(["encode", "--lookup", "123456", .. server])).Json;
        Assert.Equal((0, 0), (number.GetProperty("items").GetArrayLength(), number.GetProperty("prefixes").GetArrayLength()));

        var popular = (await Cli.DoneHereAsync(["recommend", "-k", "3", .. server])).Json;
        var blank = (await Cli.DoneHereAsync(["recommend", "", "-k", "3", .. server])).Json;
        Assert.Equal(popular.GetProperty("items").GetRawText(), blank.GetProperty("items").GetRawText());
        Assert.Equal((3, "empty history"), (popular.GetProperty("items").GetArrayLength(), popular.GetProperty("fallback").GetString()));

        var listed = (await Cli.DoneHereAsync(["versions", "list", .. server])).Json.GetProperty("versions").EnumerateArray();
        Assert.Contains(listed, version => version.GetProperty("version").GetString() == world.Version);

        string pictures = Path.Combine(world.Folder, "pictures");
        string[] creative = ["creative", "--item", world.ItemIds[0], "--count", "2", "--out", pictures];
        var drawn = (await Cli.DoneAsync([.. creative, .. server])).Json;
        Assert.Equal(2, drawn.GetProperty("images").GetArrayLength());
        Assert.All(Directory.GetFiles(pictures), file => Assert.Equal([0x89, 0x50, 0x4E, 0x47], File.ReadAllBytes(file)[..4]));
    }

    [Fact]
    public async Task Items_with_a_comma_an_at_sign_a_blank_or_a_dash_can_be_asked_for()
    {
        string[] odd = ["a,b", "@home", "red shirt", "-7", "07"];
        var quantizer = new V1.Quantizer.QuantizerClient(world.Channel);
        var request = new V1.AssignRequest();
        request.Items.AddRange(odd.Select(id => new V1.ItemEmbedding { ItemId = id, Embeddings = { ["text"] = BadInputTests.Unit(384) } }));
        await quantizer.AssignAsync(request);

        var looked = (await Cli.DoneHereAsync(["encode", "--server", world.Address, "--json", .. odd.Select(id => $"--lookup={id}")])).Json;
        Assert.Equal(odd, looked.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()));
        await SwapTests.UntilKnownAsync(new V1.Retrieval.RetrievalClient(world.Channel), odd[^1]);
        var recommended = (await Cli.DoneHereAsync(["recommend", "-k", "3", "--server", world.Address, "--json", "--", .. odd])).Json;
        Assert.Equal(3, recommended.GetProperty("items").GetArrayLength());
        Assert.Empty(recommended.GetProperty("unknown_item_ids").EnumerateArray());
        Assert.False(recommended.TryGetProperty("fallback", out _));
    }

    [Fact]
    public async Task After_the_catalogue_grew_items_encode_to_the_codes_they_have_and_vectors_of_another_fit_are_refused()
    {
        string grown = Path.Combine(world.Folder, "grown");
        Directory.CreateDirectory(grown);
        foreach (string file in new[] { "dataset.json", "items.tsv", "sequences.txt" }) // no pictures: their components are another fit's
        {
            File.Copy(Path.Combine(world.Data, file), Path.Combine(grown, file));
        }

        string[] Codes(System.Text.Json.JsonElement json) =>
            [.. json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("semantic_id").GetString()!.Split('#')[0])];
        string[] encode =
        [
            "encode", "--data", grown, "--config", world.Config, "--server", world.Address, "--json",
            "--items", .. world.ItemIds.Take(20),
        ];
        var before = Codes((await Cli.DoneHereAsync(encode)).Json);
        string items = await File.ReadAllTextAsync(Path.Combine(grown, "items.tsv"));
        int columns = items.Split('\n')[0].Split('\t').Length;
        await File.AppendAllTextAsync(Path.Combine(grown, "items.tsv"), "new-one\tred wooden mug" + new string('\t', columns - 2) + "\n");
        Assert.Equal(before, Codes((await Cli.DoneHereAsync(encode)).Json));

        string sequences = Path.Combine(grown, "sequences.txt");
        await File.WriteAllLinesAsync(sequences, (await File.ReadAllLinesAsync(sequences))[1..]);
        var refused = await Cli.HereAsync(encode);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.Precondition, refused.ExitCode);
        Assert.Contains("'collaborative' is of the space", refused.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        var assigned = (await Cli.DoneHereAsync([.. encode, "--assign"])).Json; // by frozen encoders only, and these items have their IDs
        Assert.All(assigned.GetProperty("items").EnumerateArray(), item => Assert.Equal("had it", item.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_refused_drawing_leaves_no_folder_behind()
    {
        string pictures = Path.Combine(world.Folder, "no-pictures");
        var refused = await Cli.HereAsync("creative", "--item", "no-such-item", "--out", pictures, "--server", world.Address);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.NotFound, refused.ExitCode);
        Assert.Contains("no-such-item", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(pictures));
    }

    [Fact]
    public async Task A_missing_dataset_is_named()
    {
        var result = await Cli.HereAsync("embed", "--data", Path.Combine(world.Folder, "nowhere"), "--json");
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.NotFound, result.ExitCode);
        Assert.Contains("nowhere", result.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_key_of_a_configuration_is_refused()
    {
        string config = Path.Combine(world.Folder, "typo.json");
        await File.WriteAllTextAsync(config, """{ "retrieval": { "id": { "layerz": 4 } } }""");
        var result = await Cli.HereAsync("rebuild", "--data", world.Data, "--out", Path.Combine(world.Folder, "typo"), "--config", config);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.InvalidArgument, result.ExitCode);
        Assert.Contains("layerz", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_out_of_range_are_all_named_at_once()
    {
        string config = Path.Combine(world.Folder, "ranges.json");
        await File.WriteAllTextAsync(
            config, """{ "device": "abacus", "retrieval": { "content": { "dropout": 2 } }, "gates": { "min_coverage": 3 } }""");
        var result = await Cli.HereAsync(
            "rebuild", "--data", world.Data, "--out", Path.Combine(world.Folder, "ranges"), "--config", config);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.InvalidArgument, result.ExitCode);
        Assert.Contains("abacus", result.Error, StringComparison.Ordinal);
        Assert.Contains("ropout", result.Error, StringComparison.Ordinal);
        Assert.Contains("min_coverage", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_version_is_refused_and_names_the_file()
    {
        string versions = world.CopyVersions("truncated");
        string table = Path.Combine(versions, world.Version, "items.tsv");
        await using (var file = new FileStream(table, FileMode.Open))
        {
            file.SetLength(file.Length / 2);
        }

        var result = await Cli.HereAsync("eval", "--data", world.Data, "--versions", versions, "--version", world.Version);
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.DataLoss, result.ExitCode);
        Assert.Contains("items.tsv", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gate_that_refuses_leaves_the_active_version_alone_and_says_why()
    {
        var before = (await Cli.DoneHereAsync("versions", "list", "--server", world.Address, "--json")).Json;
        string active = before.GetProperty("active").GetString()!;
        string config = Path.Combine(world.Folder, "strict.json");
        await File.WriteAllTextAsync(
            config, TrainedVersion.TinyConfig.Replace("\"users\": 100", "\"users\": 100, \"min_recall\": 0.99", StringComparison.Ordinal));
        var result = await Cli.HereAsync("rebuild", "--data", world.Data, "--out", world.Versions, "--config", config, "--json");
        Assert.Equal(Recsys.Cli.Terminal.ExitCode.GateFailed, result.ExitCode);
        Assert.Contains("recall", result.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        var listed = (await Cli.DoneHereAsync("versions", "list", "--server", world.Address, "--json")).Json;
        Assert.Equal(active, listed.GetProperty("active").GetString());
        Assert.Equal(active, listed.GetProperty("serving").GetString());
    }

    [GeneratedRegex(@"^\s*(?:[A-Z_]+=\S+\s+)?\./recsys ([a-z][^#|&>]*)")]
    private static partial Regex CommandLine();
}
