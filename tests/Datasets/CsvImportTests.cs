using System.Globalization;
using System.IO.Compression;

namespace Recsys.Datasets.Tests;

/// <summary>Interactions and items of .csv files, packed or not.</summary>
public sealed class CsvImportTests : TableImport
{
    [Fact]
    public void Columns_with_usual_names_and_times_that_end_in_UTC_are_found()
    {
        Folder.With(
            "e.csv", "event_time,event_type,product_id,user_id\n2019-10-01 00:00:02 UTC,view,b,u1\n2019-10-01 00:00:01 UTC,view,a,u1\n");
        using var dataset = Import(Options with { Interactions = Folder["e.csv"] });
        Assert.Equal(["u1: a b"], Histories(dataset));
    }

    [Fact]
    public void Columns_of_any_name_are_mapped_by_options()
    {
        Folder.With("e.csv", "who,when \"exactly\",what's\nu,2,b\nu,1,a\n");
        Assert.Contains(
            "--item-column is 'nope'; the columns are: who,",
            Refusal(Options with { Interactions = Folder["e.csv"], ItemColumn = "nope" }));
        using var dataset = Import(Options with
        {
            Interactions = Folder["e.csv"], UserColumn = "who", ItemColumn = "what's", TimeColumn = "when \"exactly\"",
        });
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Theory]
    [InlineData("i.jsonl", "{\"id\": \"a\", \"label\": \"Mug\", \"picture\": \"x.png\"}\n")]
    [InlineData("i.tsv", "id\tlabel\tpicture\na\tMug\tx.png\n")]
    [InlineData("i.csv", "id,label,picture\na,Mug,x.png\n")]
    public void Title_and_picture_are_what_the_options_name_in_every_kind_of_table(string file, string text)
    {
        Folder.With(file, text).With("pictures/x.png", [7]);
        using var dataset = Import(
            Options with { Items = Folder[file], Images = Folder["pictures"], TitleColumn = "label", ImageColumn = "picture" });
        Assert.Equal(("Mug", "x.png"), (dataset.Items[0].Title, dataset.Items[0].Image));
        Assert.Equal([7], dataset.Images!.Read(0));
    }

    [Theory]
    [InlineData("i.tsv", "id\tlabel\na\tMug\n")]
    [InlineData("i.csv", "id,label\na,Mug\n")]
    public void A_column_that_is_not_there_is_refused_with_those_that_are(string file, string text)
    {
        Folder.With(file, text);
        Assert.Contains(
            "--image-column is 'nope'", Refusal(Options with { Items = Folder[file], ImageColumn = "nope" }), StringComparison.Ordinal);
        Assert.Contains("id, label", Refusal(Options with { Items = Folder[file], TitleColumn = "nope" }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_compressed_table_is_read_as_it_is()
    {
        using (var zip = new GZipStream(File.Create(Folder["e.csv.gz"]), CompressionLevel.Fastest))
        {
            zip.Write("user,item,timestamp\nu,b,2\nu,a,1\n"u8);
        }

        using var dataset = Import(Options with { Interactions = Folder["e.csv.gz"] });
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Theory]
    [InlineData("a[1].csv", "a1.csv")]
    [InlineData("a*.csv", "abc.csv")]
    [InlineData("a'; DROP.csv", "b.csv")]
    public void A_files_name_is_no_pattern_and_no_sql(string name, string other)
    {
        Folder.With(other, "user,item,timestamp\nwrong,wrong,1\n").With(name, "user,item,timestamp\nu,a,1\n");
        using var dataset = Import(Options with { Interactions = Folder[name] });
        Assert.Equal(["u: a"], Histories(dataset));
    }

    [Theory]
    [InlineData("2021-04-03")]
    [InlineData("2021-04-03 10:00")]
    [InlineData("2021-04-03T10:00Z")]
    [InlineData("2021-04-03T10:00:00+02:00")]
    [InlineData("2021-04-03T10:00:00.25-0500")]
    [InlineData("2021-04-03 10:00:00 UTC")]
    [InlineData("2021-04-03 10:00 UTC")]
    public void An_iso_date_is_the_moment_that_the_runtime_reads(string text)
    {
        Folder.With("e.csv", $"user,item,timestamp\nu,a,{text}\n");
        using var dataset = Import(Options with { Interactions = Folder["e.csv"] });
        var expected = DateTimeOffset.Parse(text.Replace(" UTC", "Z"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        Assert.Equal($"u,a,{(expected - DateTimeOffset.UnixEpoch).Ticks / 10}", File.ReadLines(Folder["out/interactions.csv"]).Last());
    }

    [Theory]
    [InlineData("03-04-2021")]
    [InlineData("03-04-2021 10:00")]
    [InlineData("08/25/2022")]
    [InlineData("2022/08/25")]
    [InlineData("12:30")]
    [InlineData("2021-02-30")]
    [InlineData("2021-04-03 25:00")]
    [InlineData("Apr 3 2021")]
    [InlineData("1_000")]
    [InlineData("0x10")]
    [InlineData("inf")]
    [InlineData("1e999")]
    [InlineData("")]
    public void A_time_that_is_neither_number_nor_iso_date_is_refused_with_its_line(string text)
    {
        Folder.With("e.csv", $"user,item,timestamp\nu,a,5\nu,b,{text}\n");
        Assert.Contains(
            $"e.csv, line 3: timestamp '{text}'; allowed: a finite number", Refusal(Options with { Interactions = Folder["e.csv"] }));
    }

    [Fact]
    public void Whole_numbers_beyond_a_doubles_precision_keep_their_order()
    {
        Folder.With("e.csv", "user,item,timestamp\nu,b,1600000000000000001\nu,a,1600000000000000000\n");
        using var dataset = Import(Options with { Interactions = Folder["e.csv"] });
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Fact]
    public void Cells_are_trimmed_where_the_header_has_blanks()
    {
        Folder.With("e.csv", "user, item, timestamp\nu1, a, 2\nu1, b, 1\n");
        using var dataset = Import(Options with { Interactions = Folder["e.csv"] });
        Assert.Equal(["a", "b"], dataset.ItemIds);
    }

    [Fact]
    public void Cells_with_blanks_are_refused_where_the_header_has_none_and_kept_in_quotes()
    {
        Folder.With("loose.csv", "user,item,timestamp\nu1,a,1\nu1, b,2\n").With("quoted.csv", "user,item,timestamp\nu1,\" b\",2\n");
        Assert.Contains(
            "loose.csv, line 3: a cell begins or ends with a blank", Refusal(Options with { Interactions = Folder["loose.csv"] }));
        using var dataset = Import(Options with { Interactions = Folder["quoted.csv"] });
        Assert.Equal([" b"], dataset.ItemIds);
        Assert.Equal(["u1:  b"], Histories(dataset));
    }

    [Fact]
    public void Unknown_items_are_refused_with_their_number_or_dropped_and_counted()
    {
        string thirty = string.Concat(Enumerable.Range(0, 30).Select(row => $"w,x{row},1\n"));
        Folder.With("i.csv", "id,name\na,\"Mug, large\"\nb,Jug\n")
            .With("e.csv", "user,item,timestamp\nu,a,1\nu,gone,2\nu,b,3\nv,gone,1\n" + thirty);
        string refusal = Refusal(Options with { Interactions = Folder["e.csv"], Items = Folder["i.csv"] });
        Assert.Contains("32 faults", refusal);
        Assert.Contains("e.csv, line 3: item 'gone' is not in the items file", refusal);
        using var dataset = Import(
            Options with { Interactions = Folder["e.csv"], Items = Folder["i.csv"], DropUnknown = true }, out var report);
        Assert.Equal((32L, 2L, 1), (report.UnknownDropped, report.Interactions, report.Users));
        Assert.Contains("32 interactions of items that are not in the items file were dropped", dataset.Description.Note);
        Assert.Equal(["u: a b"], Histories(dataset));
        Assert.Equal("Mug, large", dataset.Items[0].Title);
    }

    [Fact]
    public void Faulty_lines_of_a_table_are_listed_with_what_is_wrong()
    {
        Folder.With("e.csv", [.. "user,item,timestamp\nu,a\nu,b,1,2\nu,c\xE9,1\n".Select(letter => (byte)letter)]);
        string refusal = Refusal(Options with { Interactions = Folder["e.csv"] });
        Assert.Contains("e.csv, line 2: 2 columns; the header has 3", refusal);
        Assert.Contains("e.csv, line 3: 4 columns; the header has 3", refusal);
        Assert.Contains("e.csv, line 4: the bytes are no UTF-8", refusal);
    }
}
