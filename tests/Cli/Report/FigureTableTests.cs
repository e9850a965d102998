using System.Text.Json.Nodes;
using Recsys.Catalog;
using Recsys.Cli.Report;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Tests;

namespace Recsys.Cli.Tests.Report;

public sealed class FigureTableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-figures-").FullName;

    private static string Root => RepositoryRoot.Path;

    [Fact]
    public void One_seed_keeps_its_interval_over_users()
    {
        string row = Rows(Save("a.17", 17, .065)).Single();
        Assert.Equal(
            "| [a](configs/a.json) | `strict` | 1 | 100 | .0325 | .0163 | .0650 | .0600 to .0700 | – | .0217 "
            + "| – | .0114 | .0776 | – |",
            row);
    }

    [Fact]
    public void Several_seeds_are_one_row_of_means_with_students_interval()
    {
        // Mean .06, standard deviation .01, of 3: 4.303 · .01 / √3 = .0248.
        string row = Rows(Save("a.1", 1, .05), Save("a.2", 2, .06), Save("a.3", 3, .07)).Single();
        Assert.Contains("| `strict` | 3 | 100 |", row, StringComparison.Ordinal);
        Assert.Contains("| .0600 | .0550 to .0650 | .0352 to .0848 |", row, StringComparison.Ordinal);
    }

    [Fact]
    public void A_protocol_that_some_seeds_lack_counts_those_that_have_it()
    {
        string[] rows = [.. Rows(Save("a.1", 1, .05), Save("a.2", 2, .06, protocols: ["strict", "open"]))];
        Assert.Contains("| `strict` | 2 |", rows[0], StringComparison.Ordinal);
        Assert.Contains("| `open` | 1 | 100 | .0300 | .0150 | .0600 | .0550 to .0650 | – |", rows[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Figures_and_protocols_have_rows_of_their_own_in_the_order_of_their_names()
    {
        string b = Save("b", 1, .5), a = Save("a.9", 9, .25, protocols: ["strict", "open"]);
        Assert.Equal(["a strict", "a open", "b strict"], Rows(b, a).Select(row => row.Split('|')).Select(
            cells => $"{cells[1].Trim()[1]} {cells[2].Trim().Trim('`')}"));
    }

    [Fact]
    public void What_makes_no_honest_row_is_refused()
    {
        string a = Save("a.1", 1, .05);
        Refused("seed", a, Save("a.01", 1, .05));
        Refused("split", a, Save("a.2", 2, .05, split: "another-split"));
        Refused("validation", Save("v", 1, .05, target: "validation"));
        File.WriteAllText(Path.Combine(_folder, "c.json"), "[1]");
        Refused("eval --json", Path.Combine(_folder, "c.json"));
        File.WriteAllText(Path.Combine(_folder, "d.json"), "{\"target\": \"test\"}");
        Refused("eval --json", Path.Combine(_folder, "d.json"));
        Assert.Throws<FileNotFoundException>(() => FigureTable.Markdown([Path.Combine(_folder, "nowhere.json")]));
        Assert.Throws<CatalogException>(() => FigureTable.Into("no markers", "table"));
    }

    /// <summary>Made by: ./recsys eval table configs/results/*.json --into README.md</summary>
    [Fact]
    public void The_readmes_table_is_that_of_the_results()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "README.md"));
        string table = FigureTable.Markdown(Directory.GetFiles(Path.Combine(Root, "configs", "results"), "*.json"));
        Assert.Equal(readme, FigureTable.Into(readme, table));
        Assert.NotEqual(readme, FigureTable.Into(readme, "another"));
    }

    [Fact]
    public void Every_result_has_its_configuration_and_every_configuration_is_valid_and_explained()
    {
        string configs = Path.Combine(Root, "configs"), readme = File.ReadAllText(Path.Combine(configs, "README.md"));
        var names = Directory.GetFiles(configs, "*.json").Select(file =>
        {
            Assert.Equal(17, RebuildOptions.Read(file).Seed);
            Assert.Contains($"`{Path.GetFileName(file)}`", readme, StringComparison.Ordinal);
            return Path.GetFileNameWithoutExtension(file);
        }).ToList();
        Assert.NotEmpty(names);
        Assert.All(
            Directory.GetFiles(Path.Combine(configs, "results")), file => Assert.Contains(Path.GetFileName(file).Split('.')[0], names));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IEnumerable<string> Rows(params string[] files) =>
        FigureTable.Markdown(files).Split('\n').Skip(2).TakeWhile(line => line.Length > 0);

    private static void Refused(string says, params string[] files)
    {
        var refused = Assert.Throws<CatalogException>(() => FigureTable.Markdown(files));
        Assert.Equal(Fault.InvalidArgument, refused.Fault);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>An output with recall@10 of the sum, and the other metrics as shares of it.</summary>
    private string Save(
        string name, long seed, double recall, string split = "a-split-of-users", string target = "test", string[]? protocols = null)
    {
        JsonObject Row(double value) => new()
        {
            ["recall@5"] = value / 2, ["ndcg@5"] = value / 4, ["recall@10"] = value, ["ndcg@10"] = value / 3,
            ["interval"] = new JsonArray(value - .005, value + .005),
        };
        string file = Path.Combine(_folder, $"{name}.json");
        var rows = (protocols ?? ["strict"]).Select(protocol => KeyValuePair.Create(protocol, (JsonNode?)new JsonObject
        {
            ["sum"] = Row(recall), ["popularity"] = Row(.0114), ["co_occurrence"] = Row(.0776),
        }));
        File.WriteAllText(file, new JsonObject
        {
            ["target"] = target, ["users"] = 100, ["split_sha256"] = split, ["training_seed"] = seed, ["protocols"] = new JsonObject(rows),
        }.ToJsonString());
        return file;
    }
}
