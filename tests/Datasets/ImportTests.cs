using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

public sealed class ImportTests
{
    [Fact]
    public void Files_named_one_by_one_make_a_dataset()
    {
        using var source = new TemporaryFolder()
            .With("seq.txt", "u a b c\nv c a\n")
            .With("catalogue.tsv", "sku\tname\tbrand\na\tApple\tX\nb\tBanana\t\nc\tCherry &amp; stone\tY\n")
            .With("pictures/a.png", [1, 2, 3]);
        TestNpy.Write(source["mine.npy"], new float[6], 2);
        var report = DatasetImporter.Import(new ImportOptions([], source["out"])
        {
            Sequences = source["seq.txt"],
            Items = source["catalogue.tsv"],
            Images = source["pictures"],
            Embeddings = new Dictionary<string, string> { ["text"] = source["mine.npy"] },
            Name = "fruit",
        });
        Assert.Equal(("fruit", 2, 3, 5L, 1), (report.Name, report.Users, report.Items, report.Interactions, report.ItemsWithImage));
        using var dataset = Dataset.Open(source["out"]);
        Assert.Equal(["a", "b", "c"], dataset.ItemIds);
        Assert.Equal("Cherry &amp; stone", dataset.Items[2].Title);
        Assert.Equal([1, 2, 3], dataset.Images!.Read(0));
        Assert.Equal(2, dataset.ReadEmbedding("text").Dim);
        Assert.Equal([2, 0], dataset.Sequences[1].ToArray());
    }

    [Fact]
    public void Without_an_items_file_the_histories_name_the_items()
    {
        using var source = new TemporaryFolder().With("in/sequences.txt", "u a b c\nv c d\n");
        DatasetImporter.Import(new ImportOptions([source["in"]], source["out"]));
        using var dataset = Dataset.Open(source["out"]);
        Assert.Equal(["a", "b", "c", "d"], dataset.ItemIds);
    }

    [Theory]
    [InlineData("sequences.txt")]
    [InlineData("interactions.csv")]
    public void Cold_items_are_targets_alone_and_counted(string file)
    {
        string[][] users = [.. Enumerable.Range(0, 60).Select(
            user => Enumerable.Range(0, 6).Select(at => $"i{((user * 7) + (at * at * 5)) % 20}").ToArray())];
        using var source = new TemporaryFolder().With(
            $"in/{file}",
            file == "sequences.txt"
                ? string.Concat(users.Select((items, user) => $"u{user} {string.Join(' ', items)}\n"))
                : "user,item,timestamp\n" + string.Concat(users.SelectMany(
                    (items, user) => items.Select((item, at) => $"u{user},{item},{at}\n"))));
        var options = new ImportOptions([source["in"]], source["out"]) { ColdItems = 0.2, Seed = 5 };
        var report = DatasetImporter.Import(options);
        using var dataset = Dataset.Open(source["out"]);
        var trained = new LeaveOneOut(dataset.Sequences).Train.Items.ToHashSet();
        Assert.Equal(20, dataset.ItemCount); // they are items still
        Assert.Equal(4, Enumerable.Range(0, 20).Count(item => !trained.Contains(item)));
        Assert.Equal((dataset.Sequences.Count, (long)dataset.Sequences.Items.Length), (report.Users, report.Interactions));
        Assert.Contains(report.Notes, note => note.StartsWith("4 items drawn by seed 5", StringComparison.Ordinal));
        Assert.True(dataset.Sequences.Items.Length < 360);
    }

    [Theory]
    [InlineData(0, "--cold-items is 0; allowed: above 0 to below 1")]
    [InlineData(1.5, "--cold-items is 1.5; allowed")]
    public void A_share_of_cold_items_outside_its_range_is_refused(double share, string message)
    {
        using var source = new TemporaryFolder().With("in/sequences.txt", "u a b c\n");
        var fault = Assert.Throws<CatalogException>(
            () => DatasetImporter.Import(new ImportOptions([source["in"]], source["out"]) { ColdItems = share }));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(source["out"]));
    }

    [Fact]
    public void Importing_a_dataset_gives_the_same_dataset_again()
    {
        using var source = new TemporaryFolder()
            .With("in/interactions.csv", "user,item,timestamp\nu,a,2\nu,b,1\n").With("in/items.tsv", "x\tid\ttitle\n1\ta\tA\n2\tb\tB\n");
        source.With("in/dataset.json", """{"name": "one", "format": 1, "itemIdColumn": "id", "simulated": true, "licence": "MIT"}""");
        DatasetImporter.Import(new ImportOptions([source["in"]], source["out"]));
        DatasetImporter.Import(new ImportOptions([source["out"]], source["again"]));
        using var first = Dataset.Open(source["out"]);
        using var second = Dataset.Open(source["again"]);
        Assert.Equal(first.Sha256, second.Sha256);
        Assert.Equal(["b", "a"], first.Sequences[0].ToArray().Select(item => first.ItemIds[item]));
        Assert.Equal("1", first.Items[0].Fields["x"]);
        Assert.True(first.Description.Simulated);
    }

    public static TheoryData<string, Action<TemporaryFolder>, string> Faults => new()
    {
        { "unknown item", folder => folder.With("in/sequences.txt", "u a zebra\n"), "sequences.txt, line 1: item 'zebra'" },
        { "NaN", folder => WriteEmbedding(folder, [1, 2, 3, float.NaN, 5, 6], 2), "row 1, column 1 is NaN" },
        { "too few rows", folder => WriteEmbedding(folder, [1, 2, 3, 4], 2), "2 rows; the dataset has 3 items" },
        {
            "picture gone",
            folder => folder.With("in/items.tsv", "id\timage\na\tx.png\nb\t\nc\t\n").With("in/images/a.png", [1]),
            "item 'a' names the picture 'x.png'"
        },
        { "no archive", folder => folder.With("in/images.zip", [1, 2, 3]), "no end record" },
        {
            "unknown column",
            folder => folder.With("in/dataset.json", """{"name": "x", "format": 1, "itemIdColumn": "sku"}"""),
            "itemIdColumn is 'sku'"
        },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_faulty_source_leaves_nothing_behind(string what, Action<TemporaryFolder> damage, string fault)
    {
        _ = what;
        using var source = new TemporaryFolder()
            .With("in/sequences.txt", "u a b c\n").With("in/items.tsv", "id\ttitle\na\tA\nb\tB\nc\tC\n");
        damage(source);
        var error = Assert.Throws<CatalogException>(() => DatasetImporter.Import(new ImportOptions([source["in"]], source["out"])));
        Assert.Contains(fault, error.Message);
        Assert.DoesNotContain("staging", error.Message);
        Assert.Equal([source["in"]], Directory.GetFileSystemEntries(source.Path));
    }

    [Fact]
    public void A_folder_that_is_not_empty_is_replaced_only_by_force_and_only_if_it_is_a_dataset()
    {
        using var source = new TemporaryFolder().With("in/sequences.txt", "u a b c\n").With("other/precious.txt", "mine");
        var options = new ImportOptions([source["in"]], source["out"]);
        DatasetImporter.Import(options);
        source.With("in/sequences.txt", "u a b c d\n");
        Assert.Contains("--force", Assert.Throws<CatalogException>(() => DatasetImporter.Import(options)).Message);
        Assert.Equal(4, DatasetImporter.Import(options with { Force = true }).Items);
        Assert.Throws<CatalogException>(() => DatasetImporter.Import(options with { Out = source["other"], Force = true }));
        Assert.True(File.Exists(source["other/precious.txt"]));
        Assert.Equal(3, Directory.GetFileSystemEntries(source.Path).Length);
    }

    [Fact]
    public void Leftovers_of_a_killed_import_are_removed_by_the_next()
    {
        using var source = new TemporaryFolder()
            .With("in/sequences.txt", "u a b c\n").With(".out.staging-dead/.lock", "").With(".out.staging-dead/half", "x");
        DatasetImporter.Import(new ImportOptions([source["in"]], source["out"]));
        Assert.False(Directory.Exists(source[".out.staging-dead"]));
    }

    [Fact]
    public void A_replacement_that_was_killed_between_its_two_renames_is_undone_by_the_next_import()
    {
        using var source = new TemporaryFolder()
            .With("in/sequences.txt", "u a b c\n").With(".out.old-1/dataset.json", """{"name": "x", "format": 1}""");
        Assert.Throws<CatalogException>(() => DatasetImporter.Import(new ImportOptions([source["in"]], source["out"])));
        Assert.True(File.Exists(source["out/dataset.json"]));
    }

    [SharedDataFact("amazon-beauty")]
    public void Amazon_Beauty_has_the_counts_of_the_papers_table()
    {
        using var target = new TemporaryFolder();
        var report = DatasetImporter.Import(new ImportOptions([SharedData.Of("amazon-beauty")], target["ds"]));
        Assert.Equal((22363, 12101, 198502L), (report.Users, report.Items, report.Interactions));
        using var dataset = Dataset.Open(target["ds"]);
        var split = new LeaveOneOut(dataset.Sequences);
        Assert.Equal(22363, split.EvaluatedUsers.Length);
        Assert.Equal(12101, dataset.Items.Count(item => item.Title.Length > 0));
        Assert.Equal(7475, dataset.Items.Count(item => item.Fields.ContainsKey("brand")));
        Assert.All(dataset.Items, item => Assert.False(item.Fields.ContainsKey("idgenrec_text_id")));
    }

    [Fact]
    public void MovieLens_files_are_read_as_Latin_1_and_ordered_by_time()
    {
        using var source = new TemporaryFolder()
            .With("in/u.genre", "Drama|0\nComedy|1\n\n").With("in/u.data", "1\t20\t5\t300\n1\t10\t1\t200\n")
            .With("in/u.item", [.. "10|Les Mis"u8, 0xE9, .. "rables|01-Jan-1995|||1|1\n20|Caf"u8, 0xE9, .. "||||0|0\n"u8]);
        DatasetImporter.Import(new ImportOptions([source["in"]], source["out"]));
        using var dataset = Dataset.Open(source["out"]);
        Assert.Equal(["Les Misérables", "Café"], dataset.Items.Select(item => item.Title));
        Assert.Equal("Drama | Comedy", dataset.Items[0].Fields["genres"]);
        Assert.Equal([0, 1], dataset.Sequences[0].ToArray());
    }

    [SharedDataFact("movielens-posters")]
    public void MovieLens_with_posters_joins_ratings_texts_and_pictures()
    {
        using var target = new TemporaryFolder();
        var report = DatasetImporter.Import(
            new ImportOptions([SharedData.Of("movielens-100k")], target["ds"]) { Posters = SharedData.Of("movielens-posters") });
        Assert.Equal((943, 1682, 100000L, 1616), (report.Users, report.Items, report.Interactions, report.ItemsWithImage));
        using var dataset = Dataset.Open(target["ds"]);
        Assert.Equal(96751, dataset.Sequences.Items.Count(dataset.Images!.Has));
        Assert.Equal([0xFF, 0xD8], dataset.Images!.Read(0)![..2]);
        Assert.Equal("Animation | Children's | Comedy", dataset.Items[0].Fields["genres"]);
    }

    [SharedDataFact("fashion-products")]
    public void Fashion_products_have_a_title_and_a_picture_each()
    {
        using var target = new TemporaryFolder();
        var report = DatasetImporter.Import(new ImportOptions([SharedData.Of("fashion-products")], target["ds"]));
        Assert.Equal((0, 11922, 11922), (report.Users, report.Items, report.ItemsWithImage));
        using var dataset = Dataset.Open(target["ds"]);
        Assert.Equal("Puma Men Ferrari Black Fleece Jacket", dataset.Items[0].Title);
    }

    [SharedDataFact("emoji-noto-64")]
    public void Emoji_have_a_name_and_a_picture_each()
    {
        using var target = new TemporaryFolder();
        var report = DatasetImporter.Import(new ImportOptions([SharedData.Of("emoji-noto-64")], target["ds"]));
        Assert.Equal((1911, 1911), (report.Items, report.ItemsWithImage));
    }

    private static void WriteEmbedding(TemporaryFolder folder, float[] data, int dim)
    {
        Directory.CreateDirectory(folder["in/embeddings"]);
        TestNpy.Write(folder["in/embeddings/text.npy"], data, dim);
    }
}
