using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

public sealed class DatasetTests
{
    private const string Json = """{"name": "tiny", "format": 1, "simulated": true, "figures": {"best-recall": 0.5}}""";
    private const string Items = "item_id\ttitle\tbrand\timage\na\tApple\tOrchard\ta.png\nb\tBanana\t\t\nc\tCherry\tOrchard\tc.png\n";

    [Fact]
    public void Items_and_sequences_are_read_as_written()
    {
        using var folder = new TemporaryFolder()
            .With("dataset.json", Json).With("items.tsv", Items).With("sequences.txt", "u1 c a\nu2 b\nu3\n");
        using var dataset = Dataset.Open(folder.Path);
        Assert.Equal(["a", "b", "c"], dataset.ItemIds);
        Assert.Equal(2, dataset.ItemIndex["c"]);
        Assert.Equal(["u1", "u2", "u3"], dataset.Sequences.Users);
        Assert.Equal([2, 0], dataset.Sequences[0].ToArray());
        Assert.Empty(dataset.Sequences[2].ToArray());
        Assert.Equal("Orchard", dataset.Items[0].Fields["brand"]);
        Assert.False(dataset.Items[1].Fields.ContainsKey("brand"));
        Assert.Equal("Cherry", dataset.Items[2].Title);
        Assert.Null(dataset.Items[1].Image);
        Assert.True(dataset.Description.Simulated);
        Assert.Equal(0.5, dataset.Description.Figures!["best-recall"]);
    }

    [Fact]
    public void Json_lines_give_the_same_items_as_the_table()
    {
        using var table = new TemporaryFolder().With("dataset.json", Json).With("items.tsv", Items);
        using var lines = new TemporaryFolder().With("dataset.json", Json).With("items.jsonl", """
            {"id": "a", "title": "Apple", "brand": "Orchard", "image": "a.png"}
            {"id": "b", "title": "Banana", "brand": null}
            {"id": "c", "title": "Cherry", "brand": ["Orchard"], "image": "c.png"}
            """);
        using var first = Dataset.Open(table.Path);
        using var second = Dataset.Open(lines.Path);
        Assert.Equal(first.Items.Select(Show), second.Items.Select(Show));

        static string Show(Item item) =>
            $"{item.Id}|{item.Title}|{item.Image}|{string.Join(',', item.Fields.Select(field => $"{field.Key}={field.Value}"))}";
    }

    [Fact]
    public void Interactions_are_ordered_by_time_and_ties_keep_the_order_of_the_file()
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, 2000)
            .Select(row => (User: $"u{random.Next(20)}", Item: $"i{random.Next(50)}", Time: random.Next(30))).ToList();
        string lines = string.Concat(rows.Select(row => $"{row.Time},{row.User},\"{row.Item}\",5\n"));
        using var folder = new TemporaryFolder()
            .With("dataset.json", Json).With("interactions.csv", "timestamp,user,item,rating\n" + lines);
        using var dataset = Dataset.Open(folder.Path);
        for (int user = 0; user < dataset.Sequences.Count; user++)
        {
            var expected = rows.Where(row => row.User == dataset.Sequences.Users[user]).OrderBy(row => row.Time).Select(row => row.Item);
            Assert.Equal(expected, dataset.Sequences[user].ToArray().Select(item => dataset.ItemIds[item]));
        }
    }

    [Fact]
    public void Dates_order_interactions_as_numbers_do()
    {
        const string Rows = "u,late,2014-02-01T00:00:00+02:00\nu,later,2014-01-31T23:00:00Z\nu,early,2014-01-01\n";
        using var folder = new TemporaryFolder()
            .With("dataset.json", Json).With("interactions.csv", "user,item,timestamp\n" + Rows);
        using var dataset = Dataset.Open(folder.Path);
        Assert.Equal(["early", "late", "later"], dataset.Sequences[0].ToArray().Select(item => dataset.ItemIds[item]));
    }

    [Fact]
    public void Every_fault_of_the_description_is_listed_with_key_value_and_what_is_allowed()
    {
        using var folder = new TemporaryFolder().With("items.tsv", Items)
            .With("dataset.json", """{"name": "a b", "format": 2, "simulated": "yes", "colour": 1, "licence": 3, "figures": {"x": "y"}}""");
        var error = Assert.Throws<CatalogException>(() => Dataset.Open(folder.Path));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains("6 faults", error.Message);
        string[] parts =
        [
            "'name' is \"a b\"", "'format' is 2; allowed: 1", "'simulated' is \"yes\"; allowed: true, false", "'colour' is unknown",
            "'licence' is 3", "'figures'",
        ];
        foreach (string part in parts)
        {
            Assert.Contains(part, error.Message);
        }
    }

    [Fact]
    public void Every_faulty_line_of_the_items_is_listed()
    {
        using var folder = new TemporaryFolder()
            .With("dataset.json", Json).With("items.tsv", "id\tname\na\tA\nb\na\tAgain\n\tnone\nc\tC\tx\n");
        string message = Assert.Throws<CatalogException>(() => Dataset.Open(folder.Path)).Message;
        Assert.Contains("4 faults", message);
        Assert.Contains("line 3: 1 columns; the header has 2", message);
        Assert.Contains("line 4: item id 'a' appears a second time", message);
        Assert.Contains("line 5: the item id is empty", message);
        Assert.Contains("line 6: 3 columns", message);
    }

    [Theory]
    [InlineData("u a\nu b\n", "line 2: user 'u' has a line before")]
    [InlineData("u a zebra\n", "line 1: item 'zebra' is not in the items file")]
    public void Faulty_sequences_are_refused_with_their_line(string text, string fault)
    {
        using var folder = new TemporaryFolder().With("dataset.json", Json).With("items.tsv", Items).With("sequences.txt", text);
        using var dataset = Dataset.Open(folder.Path);
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => dataset.Sequences).Message);
    }

    [Theory]
    [InlineData("user,item\nu,a\n", "it must name the columns user, item and timestamp")]
    [InlineData("user,item,timestamp\nu,a,soon\n", "line 2: timestamp 'soon'")]
    [InlineData("user,item,timestamp\nu,a,NaN\n", "line 2: timestamp 'NaN'")]
    [InlineData("user,item,timestamp\nu,a,5\nu,a,2014-01-01\n", "line 3: timestamp '2014-01-01' is a date")]
    [InlineData("user,item,timestamp\nu,zebra,5\n", "line 2: item 'zebra'")]
    [InlineData("user,item,timestamp\nu,\"a,5\n", "line 2: a quoted field does not end")]
    public void Faulty_interactions_are_refused_with_their_line(string text, string fault)
    {
        using var folder = new TemporaryFolder().With("dataset.json", Json).With("items.tsv", Items).With("interactions.csv", text);
        using var dataset = Dataset.Open(folder.Path);
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => dataset.Sequences).Message);
    }

    [Theory]
    [InlineData("sequences.txt", "u a gone b\nv gone\n")]
    [InlineData("interactions.csv", "user,item,timestamp\nu,a,1\nu,gone,2\nu,b,3\nv,gone,1\n")]
    public void A_dataset_with_a_delisted_item_opens_when_told_to_pass_over_it(string file, string text)
    {
        using var folder = new TemporaryFolder()
            .With("dataset.json", """{"name": "x", "format": 1}""").With("items.tsv", "id\na\nb\n")
            .With(file, text)
            .With("embeddings/mine.ids.txt", "gone\na\n");
        TestNpy.Write(folder["embeddings/mine.npy"], new float[] { 9, 9, 1, 2 }, 2);
        using (var strict = Dataset.Open(folder.Path))
        {
            Assert.Contains("--drop-unknown", Assert.Throws<CatalogException>(() => strict.Sequences).Message);
            Assert.Contains("--drop-unknown", Assert.Throws<CatalogException>(() => strict.ReadEmbedding("mine")).Message);
        }

        using var dataset = Dataset.Open(folder.Path, dropUnknown: true);
        Assert.Equal(2, dataset.UnknownDropped);
        Assert.Equal([0, 1], dataset.Sequences[0].ToArray());
        Assert.Equal([1, 2, 0, 0], dataset.ReadEmbedding("mine").Data);
        Assert.Equal([true, false], dataset.ReadEmbedding("mine").Present);
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_refused_rather_than_replaced()
    {
        using var folder = new TemporaryFolder().With("dataset.json", Json).With("items.tsv", [.. "id\ttitle\na\tCaf"u8, 0xE9, (byte)'\n']);
        Assert.Contains("no UTF-8", Assert.Throws<CatalogException>(() => Dataset.Open(folder.Path)).Message);
    }

    [Fact]
    public void A_folder_that_is_no_dataset_says_how_to_make_one()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<CatalogException>(() => Dataset.Open(folder.Path));
        Assert.Equal(Fault.NotFound, error.Fault);
        Assert.Contains("recsys import", error.Message);
    }

    [Fact]
    public void The_content_hash_changes_with_any_file_and_with_nothing_else()
    {
        using var folder = new TemporaryFolder().With("dataset.json", Json).With("items.tsv", Items).With("sequences.txt", "u a b c\n");
        string before = Hash();
        Assert.Equal(before, Hash());
        folder.With("README.md", "unrelated");
        Assert.Equal(before, Hash());
        folder.With("sequences.txt", "u a c b\n");
        Assert.NotEqual(before, Hash());

        string Hash()
        {
            using var dataset = Dataset.Open(folder.Path);
            return dataset.Sha256;
        }
    }
}
