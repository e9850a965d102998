namespace Recsys.Datasets.Tests;

/// <summary>Interactions and items of .jsonl files.</summary>
public sealed class JsonLinesImportTests : TableImport
{
    [Fact]
    public void Json_lines_give_interactions()
    {
        Folder.With("e.jsonl", "{\"user_id\": 1, \"asin\": \"a\", \"ts\": 2, \"x/y\": {}}\n{\"user_id\": 1, \"asin\": \"b\", \"ts\": 1}\n");
        using var dataset = Import(Options with { Interactions = Folder["e.jsonl"] });
        Assert.Equal(["1: b a"], Histories(dataset));
    }

    [Theory]
    [InlineData("{\"parent_asin\": \"a\", \"title\": \"Mug\"}\n", null)]
    [InlineData("{\"brand\": \"x\", \"code\": \"a\", \"name\": \"Mug\"}\n", "code")]
    public void Items_of_json_lines_are_found_by_a_usual_name_or_by_the_option(string text, string? column)
    {
        Folder.With("i.jsonl", text);
        using var dataset = Import(Options with { Items = Folder["i.jsonl"], ItemIdColumn = column });
        Assert.Equal(("a", "Mug"), (dataset.Items[0].Id, dataset.Items[0].Title));
    }

    [Fact]
    public void Json_lines_have_no_note_about_a_column_that_they_lack()
    {
        Folder.With("s.txt", "u a b\n").With("i.jsonl", "{\"item_id\": \"a\"}\n{\"item_id\": \"b\", \"idgenrec_text_id\": \"theirs\"}\n");
        using var dataset = Import(Options with { Sequences = Folder["s.txt"], Items = Folder["i.jsonl"] });
        Assert.Null(dataset.Description.Note);
    }

    [Fact]
    public void Numbers_keep_the_text_that_they_have_and_lists_become_one()
    {
        Folder.With(
            "i.jsonl",
            """{"id": 7, "title": "Mug", "price": 19.90, "big": 12345678901234567890, "tags": [1.0, "x", null], "no": null}""");
        using var dataset = Import(Options with { Items = Folder["i.jsonl"] });
        var item = Assert.Single(dataset.Items);
        Assert.Equal("7", item.Id);
        Assert.Equal(
            ["price=19.90", "big=12345678901234567890", "tags=1.0 | x"], item.Fields.Select(field => $"{field.Key}={field.Value}"));
    }

    [Theory]
    [InlineData("{\"id\": \"a\\tb\"}\n", "line 1: the item id is")]
    [InlineData("{\"id\": \"a\"}\n{\"id\": \"\"}\n", "line 2: the item id is empty")]
    [InlineData("{\"id\": \"a\"}\n{\"id\": \"a\"}\n", "line 2: item id 'a' appears a second time")]
    public void An_id_that_is_none_is_refused_with_its_line(string text, string fault)
    {
        Folder.With("i.jsonl", text);
        Assert.Contains(fault, Refusal(Options with { Items = Folder["i.jsonl"] }));
    }
}
