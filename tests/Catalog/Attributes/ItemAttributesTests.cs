using System.Collections;
using Recsys.Catalog.Attributes;

namespace Recsys.Catalog.Tests.Attributes;

public class ItemAttributesTests
{
    private static readonly string[] Names = ["category", "price", "published"];
    private static readonly ItemAttributes Table = new(Names,
    [
        ["Beauty > Hair Care > Shampoos", "9.90", "2026-11-01"],
        ["Beauty > Hair Care|Gifts", "20", "2026-11-01T23:30:00-01:00"],
        ["Beauty > Hair Carefree", "20.01", "2026-11-02 08:00 UTC"],
        ["", "", ""],
        ["Gifts", "cheap", "2 November"],
    ]);

    public static TheoryData<Condition, int[]> Cases => new()
    {
        { new AnyOf("category", ["Beauty > Hair Care"]), [0, 1] },
        { new AnyOf("category", ["Shampoos"]), [] },
        { new AnyOf("category", ["Beauty", "Gifts"]), [0, 1, 2, 4] },
        { new AnyOf("category", [""]), [] },
        { new AnyOf("category", []), [] },
        { new NoneOf("category", ["Gifts"]), [0, 2, 3, 5, 6] },
        { new NoneOf("category", []), [0, 1, 2, 3, 4, 5, 6] },
        { new NumberRange("price", 9.9, 20), [0, 1] },
        { new NumberRange("price", null, 20), [0, 1] },
        { new NumberRange("price", 20, null), [1, 2] },
        { new NumberRange("price", null, null), [0, 1, 2] },
        { new TimeRange("published", At("2026-11-01"), At("2026-11-02")), [0] },
        { new TimeRange("published", At("2026-11-02"), null), [1, 2] },
        { new TimeRange("published", null, At("2026-11-02T08:00:00")), [0, 1] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_condition_passes_what_it_says_and_of_items_without_a_value_none_but_a_refusal(Condition condition, int[] expected) =>
        Assert.Equal(expected, Passing(new ItemFilter(condition))); // items 5 and 6 were appended: they have no attributes

    [Fact]
    public void All_conditions_must_hold()
    {
        Assert.Equal([1], Passing(new ItemFilter(new AnyOf("category", ["Gifts"]), new NumberRange("price", 1, 100))));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], Passing(new ItemFilter()));
    }

    [Fact]
    public void An_attribute_that_is_not_there_is_named_with_those_that_are()
    {
        var error = Assert.Throws<CatalogException>(() => Passing(new ItemFilter(new AnyOf("colour", ["red"]))));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains("'colour'; they have: category, price, published", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Filters_are_equal_where_their_conditions_are()
    {
        ItemFilter[] all =
        [
            new(), new(new AnyOf("a", ["b"])), new(new NoneOf("a", ["b"])), new(new AnyOf("a", ["b", "c"])),
            new(new AnyOf("a", ["b\",\"c"])),
            new(new AnyOf("a", ["b"]), new AnyOf("a", ["c"])), new(new NumberRange("a", 1, null)), new(new NumberRange("a", null, 1)),
            new(new NumberRange("a", double.NegativeInfinity, 1)), new(new TimeRange("a", At("2026-11-01"), null)),
            new(new TimeRange("a", null, At("2026-11-01"))),
        ];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(new ItemFilter(new AnyOf("a", ["b", "c"])), all[3]);
        Assert.Equal(new ItemFilter(new AnyOf("a", ["b", "c"])).GetHashCode(), all[3].GetHashCode());
    }

    [Fact]
    public void Nothing_added_to_nothing_is_no_filter()
    {
        var one = new ItemFilter(new AnyOf("a", ["b"]));
        Assert.Null(ItemFilter.Both(null));
        Assert.Same(one, ItemFilter.Both(one));
        Assert.Equal(new ItemFilter(new AnyOf("a", ["b"]), new NotText("c", ["d"])), ItemFilter.Both(one, new NotText("c", ["d"])));
    }

    [Fact]
    public void Long_texts_are_no_attribute()
    {
        Item Of(params (string, string)[] fields) => new("i", "t", fields.ToDictionary(field => field.Item1, field => field.Item2), null);
        var attributes = ItemAttributes.Of(
            [Of(("text", new string('x', 1025)), ("b", "1")), Of(("a", new string('x', 1024))), Of(("text", "short"), ("a", "2"))]);
        Assert.Equal(["a", "b"], attributes.Names);
        Assert.Equal(["", "1"], [attributes.Value(0, 0), attributes.Value(0, 1)]);
        Assert.Equal(["2", ""], [attributes.Value(2, 0), attributes.Value(2, 1)]);
        Assert.Equal("", attributes.Value(3, 0));
    }

    [Theory]
    [InlineData("2021-04-03", "2021-04-03T00:00:00Z")]
    [InlineData("2021-04-03T10:00", "2021-04-03T10:00:00Z")]
    [InlineData("2021-04-03T10:00:00+02:00", "2021-04-03T08:00:00Z")]
    [InlineData("2021-04-03 10:00:00.25 UTC", "2021-04-03T10:00:00.25Z")]
    [InlineData("2021-04-03 10:00:00.123456Z", "2021-04-03T10:00:00.123456Z")]
    [InlineData("03-04-2021", null)]
    [InlineData("2021-13-03", null)]
    [InlineData("1617408000", null)]
    [InlineData("", null)]
    public void Dates_are_ISO_8601_or_none(string text, string? expected)
    {
        Assert.Equal(expected is not null, AttributeValues.TryTime(text, out var time));
        Assert.True(expected is null || DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture) == time);
    }

    private static DateTimeOffset At(string text) => AttributeValues.TryTime(text, out var time) ? time : throw new ArgumentException(text);

    private static IEnumerable<int> Passing(ItemFilter filter)
    {
        BitArray passing = Table.Passing(filter, 7);
        return Enumerable.Range(0, 7).Where(item => passing[item]);
    }
}
