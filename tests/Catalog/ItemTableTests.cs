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
        var grown = Table.Append(
            [new("d", SemanticId.Parse("1-2#2"), "D"), new("a", SemanticId.Parse("3-3#0"), ""),
             new("d", SemanticId.Parse("3-3#1"), "again")]);
        Assert.Equal(["a", "b", "c", "d"], grown.Ids);
        Assert.Equal(SemanticId.Parse("1-2#2"), grown.SemanticIds[3]);
        Assert.Equal(3, Table.Count);
        Assert.Same(Table, Table.Append([new("a", SemanticId.Parse("3-3#0"), "")]));
    }

    [Fact]
    public void A_table_that_grew_is_the_table_that_was_made_at_once()
    {
        var random = new Random(1);
        var grown = Table;
        var all = new List<AppendedItem>();
        for (int batch = 0; batch < 30; batch++)
        {
            var before = grown;
            AppendedItem[] items = [.. Enumerable.Range(0, random.Next(4)).Select(
                i => new AppendedItem($"n{batch}-{i}", new SemanticId([3, 3], (ushort)(all.Count + i)), $"{i}"))];
            all.AddRange(items);
            grown = grown.Append(items);
            Assert.Equal(3 + all.Count - items.Length, before.Count);
            Assert.All(items, item => Assert.False(before.TryIndex(item.ItemId, out _)));
        }

        Assert.Equal((3, 3 + all.Count, all.Count - 1), (grown.BaseCount, grown.Count, grown.MaxCollision));
        Assert.Equal([.. Table.Ids, .. all.Select(item => item.ItemId)], grown.Ids);
        Assert.Equal([.. Table.Titles, .. all.Select(item => item.Title)], grown.Titles);
        for (int item = 0; item < grown.Count; item++)
        {
            Assert.True(grown.TryIndex(grown.Ids[item], out int byId) && byId == item);
            Assert.True(grown.TryIndex(grown.SemanticIds[item], out int bySemanticId) && bySemanticId == item);
        }
    }

    [Theory]
    [InlineData("d", "1-2#1", "Items 'b' and 'd' share the semantic ID 1-2#1")]
    [InlineData("d", "0-0#0", "Items 'new' and 'd' share the semantic ID 0-0#0")]
    [InlineData("d", "4-0#0", "code 4 at level 0")]
    [InlineData("d", "1-2-3#0", "3 levels")]
    public void An_append_that_contradicts_the_table_is_refused_whole(string id, string semanticId, string fault)
    {
        AppendedItem[] batch = [new("new", SemanticId.Parse("0-0#0"), ""), new(id, SemanticId.Parse(semanticId), "")];
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => Table.Append(batch)).Message);
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => Table.Append(batch[..1]).Append(batch[1..])).Message);
        Assert.False(Table.TryIndex("new", out _));
    }

    [Fact]
    public void A_history_is_read_as_far_as_it_is_known()
    {
        var (items, unknown) = Table.Known(["z", "b", "a", "b", "y", "z"]);
        Assert.Equal([1, 0, 1], items);
        Assert.Equal(["z", "y"], unknown);
    }

    [Theory]
    [InlineData("a", "2-2#0", "appears twice")]
    [InlineData("d", "1-2#1", "share the semantic ID 1-2#1")]
    [InlineData("d", "4-0#0", "code 4 at level 0")]
    [InlineData("d", "1-2-3#0", "3 levels")]
    public void A_table_that_contradicts_itself_is_refused(string id, string semanticId, string fault) =>
        Assert.Contains(fault, Assert.Throws<CatalogException>(() => Of(("a", "1-2#0"), ("b", "1-2#1"), (id, semanticId))).Message);

    private static ItemTable Of(params (string Id, string SemanticId)[] items) =>
        new(
            [.. items.Select(item => item.Id)], [.. items.Select(item => SemanticId.Parse(item.SemanticId))],
            [.. items.Select(_ => "")], [4, 4]);
}
