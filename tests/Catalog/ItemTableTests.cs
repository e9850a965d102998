namespace Recsys.Catalog.Tests;

public sealed class ItemTableTests
{
    private static readonly ItemTable Table = Of(("a", "1-2#0"), ("b", "1-2#1"), ("c", "0-3#0"));

    [Fact]
    public void Items_are_found_by_id_and_by_semantic_id()
    {
        Assert.True(Table.TryIndex("b", out int byId) && byId == 1);
        Assert.True(Table.TryIndex(SemanticId.Parse("0-3#0"), out int bySemanticId) && bySemanticId == 2);
        Assert.False(Table.TryIndex("z", out _));
        Assert.Equal(1, Table.MaxCollision);
        Assert.Equal(Fault.NotFound, Assert.Throws<CatalogException>(() => Table.IndexOf("z")).Fault);
    }

    [Fact]
    public void Appending_keeps_every_index_and_passes_over_what_is_there()
    {
        var grown = Table.Append([new("d", SemanticId.Parse("1-2#2"), "D"), new("a", SemanticId.Parse("3-3#0"), ""), new("d", SemanticId.Parse("3-3#1"), "again")]);
        Assert.Equal(["a", "b", "c", "d"], grown.Ids);
        Assert.Equal(SemanticId.Parse("1-2#2"), grown.SemanticIds[3]);
        Assert.Equal(3, Table.Count);
        Assert.Same(Table, Table.Append([new("a", SemanticId.Parse("3-3#0"), "")]));
    }

    [Theory]
    [InlineData("a", "2-2#0", "appears twice")]
    [InlineData("d", "1-2#1", "share the semantic ID 1-2#1")]
    [InlineData("d", "4-0#0", "code 4 at level 0")]
    [InlineData("d", "1-2-3#0", "3 levels")]
    public void A_table_that_contradicts_itself_is_refused(string id, string semanticId, string fault) =>
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => Of(("a", "1-2#0"), ("b", "1-2#1"), (id, semanticId))).Message);

    private static ItemTable Of(params (string Id, string SemanticId)[] items) =>
        new([.. items.Select(item => item.Id)], [.. items.Select(item => SemanticId.Parse(item.SemanticId))], [.. items.Select(_ => "")], [4, 4]);
}
