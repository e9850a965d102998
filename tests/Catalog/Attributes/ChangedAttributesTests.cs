using Recsys.Catalog.Attributes;

namespace Recsys.Catalog.Tests.Attributes;

/// <summary>Attributes that change, beside a dictionary that changes in the same way.</summary>
public class ChangedAttributesTests
{
    private static readonly string[] Texts = ["", "1", "2", "20", "a|b", "new"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_was_changed_is_what_it_was_changed_to_and_filters_see_it(int seed)
    {
        const int items = 40;
        var random = new Random(seed);
        string[][] rows = [.. Enumerable.Range(0, 30).Select(_ => random.GetItems(Texts, 2))];
        var attributes = new ItemAttributes(["price", "stock"], rows);
        var expected = new Dictionary<(int, string), string>();
        for (int round = 0; round < 30; round++)
        {
            var before = attributes;
            (int Item, string Name, string? Text)[] changes =
            [
                .. Enumerable.Range(0, random.Next(1, 8)).Select(_ =>
                    (random.Next(items), random.GetItems(["price", "stock", "colour"], 1)[0], random.GetItems([.. Texts, null], 1)[0])),
            ];
            attributes = attributes.With(changes);
            foreach (var (item, name, text) in changes)
            {
                int column = name == "price" ? 0 : 1;
                expected[(item, name)] = text ?? (item < rows.Length && name != "colour" ? rows[item][column] : "");
            }

            Assert.Superset(changes.Select(change => change.Item).ToHashSet(), attributes.ChangedSince(before)!.ToHashSet());
            foreach (string name in attributes.Names)
            {
                Condition condition = new NumberRange(name, 2, null);
                var passing = attributes.Passing(new ItemFilter(condition), items);
                for (int item = 0; item < items; item++)
                {
                    string first = item < rows.Length && name != "colour" ? rows[item][name == "price" ? 0 : 1] : "";
                    string text = expected.GetValueOrDefault((item, name), first);
                    Assert.Equal(text, attributes.Value(item, name));
                    Assert.Equal(condition.Passes(text), passing[item]);
                    Assert.Equal(condition.Passes(text), attributes.Passes(new ItemFilter(condition), item));
                }
            }
        }
    }

    [Fact]
    public void Values_that_change_for_ever_stay_right_and_taking_back_adds_no_name()
    {
        var attributes = new ItemAttributes(["note"], [["a"], ["b"], ["c"]]);
        for (int round = 0; round < 20_000; round++)
        {
            attributes = attributes.With([(round % 3, "note", $"text {round}")]);
        }

        attributes = attributes.With([(1, "note", null)]);
        Assert.Equal(["text 19998", "b", "text 19997"], Enumerable.Range(0, 3).Select(item => attributes.Value(item, "note")));
        Assert.Equal([false, true, false], attributes.Passing(new ItemFilter(new AnyOf("note", ["b"])), 3).Cast<bool>());
        Assert.Equal(["note"], attributes.With([(0, "nothing", null)]).Names);
    }

    [Fact]
    public void Changes_are_known_since_any_of_those_before_but_not_since_others_nor_for_ever()
    {
        var first = new ItemAttributes(["price"], [["1"], ["2"], ["3"]]);
        var second = first.With([(1, "price", "5")]);
        var third = second.With([(2, "price", "6"), (2, "price", "7")]);
        Assert.Equal([1, 2], third.ChangedSince(first));
        Assert.Equal([2], third.ChangedSince(second));
        Assert.Empty(third.ChangedSince(third)!);
        Assert.Null(third.ChangedSince(new ItemAttributes(["price"], [["1"], ["2"], ["3"]])));
        Assert.Null(first.ChangedSince(third));
        var many = third.With([.. Enumerable.Range(0, 140_000).Select(item => (item, "price", (string?)"8"))]);
        Assert.Null(many.ChangedSince(second));
        Assert.Empty(many.ChangedSince(many)!);
    }

    [Fact]
    public void A_table_passes_over_values_of_items_that_it_does_not_have()
    {
        var table = new ItemTable(["a", "b"], [new SemanticId([0], 0), new SemanticId([1], 0)], ["", ""], [4]);
        var now = DateTimeOffset.UnixEpoch;
        Assert.Same(table, table.With([new LiveValue("c", "stock", "1", now)]));
        var live = table.With([new LiveValue("c", "stock", "1", now), new LiveValue("b", "stock", "2", now)]);
        Assert.Equal(("", "2"), (live.Attributes.Value(0, "stock"), live.Attributes.Value(1, "stock")));
        Assert.Empty(table.Attributes.Names);
        var grown = live.Append([new AppendedItem("c", new SemanticId([2], 0), "")]);
        Assert.Equal("2", grown.Attributes.Value(1, "stock"));
        Assert.Equal("1", grown.With([new LiveValue("c", "stock", "1", now)]).Attributes.Value(2, "stock"));
    }
}
