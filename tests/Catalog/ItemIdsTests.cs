namespace Recsys.Catalog.Tests;

public sealed class ItemIdsTests
{
    [Theory]
    [InlineData("a")]
    [InlineData(" id, with: \"anything\" / on=one line ")]
    [InlineData("é😀")]
    public void One_line_is_an_id(string id) => ItemIds.Check(id);

    [Fact]
    public void The_longest_id_is_an_id() => ItemIds.Check(new string('x', 1024));

    [Theory]
    [InlineData("", "Item id '' has 0 characters")]
    [InlineData("a\tb", "Item id 'a b' has a tab or line break")]
    [InlineData("a\nb", "Item id 'a b' has a tab or line break")]
    [InlineData("a\rb", "Item id 'a b' has a tab or line break")]
    public void Anything_else_is_refused(string id, string message)
    {
        var error = Assert.Throws<CatalogException>(() => ItemIds.Check(id));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.StartsWith(message, error.Message);
    }

    [Fact]
    public void A_long_id_is_shown_by_its_first_characters_and_no_pair_is_cut()
    {
        Assert.StartsWith(
            $"Item id '{new string('x', 60)}…' has 20000000 characters",
            Assert.Throws<CatalogException>(() => ItemIds.Check(new string('x', 20_000_000))).Message);
        Assert.Equal(new string('x', 59) + "…", ItemIds.Shown(new string('x', 59) + "😀 and more"));
    }
}
