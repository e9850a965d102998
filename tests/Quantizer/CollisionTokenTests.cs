using Recsys.Catalog;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Tests;

public class CollisionTokenTests
{
    [Fact]
    public void Equal_codes_get_0_1_2_in_the_order_of_items()
    {
        ushort[] codes = [7, 1, 3, 3, 7, 1, 0, 65535, 7, 1];
        Assert.Equal(["7-1#0", "3-3#0", "7-1#1", "0-65535#0", "7-1#2"], CollisionTokens.Assign(codes, 5, 2).Select(id => id.ToString()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Tokens_are_those_of_counting_group_by_group(int levels)
    {
        var random = new Random(levels);
        var codes = Enumerable.Range(0, 5000 * levels).Select(_ => (ushort)random.Next(levels == 1 ? 100 : 4)).ToArray();
        var counts = new Dictionary<string, int>();
        var expected = codes.Chunk(levels).Select(tuple =>
        {
            string key = string.Join('-', tuple);
            counts[key] = counts.GetValueOrDefault(key) + 1;
            return new SemanticId(tuple, (ushort)(counts[key] - 1));
        });
        Assert.Equal(expected, CollisionTokens.Assign(codes, 5000, levels));
    }

    [Fact]
    public void Semantic_ids_are_distinct_so_that_the_table_is_invertible()
    {
        var codes = new ushort[3000];
        var ids = CollisionTokens.Assign(codes, 1000, 3);
        var table = new ItemTable([.. Enumerable.Range(0, 1000).Select(i => $"i{i}")], ids, [.. Enumerable.Repeat("", 1000)], [1, 1, 1]);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.True(table.TryIndex(ids[i], out int item) && item == i));
    }

    [Fact]
    public void Items_that_have_a_token_keep_it_and_others_get_the_free_ones()
    {
        SemanticId?[] kept = [null, SemanticId.Parse("7-1#2"), null, SemanticId.Parse("7-1#0"), null];
        var ids = CollisionTokens.Assign([7, 1, 7, 1, 7, 1, 7, 1, 3, 3], 5, 2, kept);
        Assert.Equal(["7-1#1", "7-1#2", "7-1#3", "7-1#0", "3-3#0"], ids.Select(id => id.ToString()));

        // A token whose item has gone is nobody's: groups are not counted by it.
        var report = QuantizerReport.Of(new float[2], new float[2], [SemanticId.Parse("7-1#2"), SemanticId.Parse("3-3#0")], [8, 4]);
        Assert.Equal((2, 0, 1), (report.DistinctCodes, report.Collisions, report.LargestGroup));
    }

    [Fact]
    public void More_than_65536_items_on_one_tuple_are_refused()
    {
        var refused = Assert.Throws<CatalogException>(() => CollisionTokens.Assign(new ushort[65_537], 65_537, 1));
        Assert.Equal(Fault.ResourceExhausted, refused.Fault);
    }

    [Fact]
    public void No_items_give_no_ids() => Assert.Empty(CollisionTokens.Assign([], 0, 3));
}
