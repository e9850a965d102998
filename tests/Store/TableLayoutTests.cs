using Recsys.Catalog;
using Recsys.Store.Redis;

namespace Recsys.Store.Tests;

public sealed class TableLayoutTests
{
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(12_101, 8, 9)]
    [InlineData(100_000, 11, 12)]
    public void A_table_is_spread_over_hashes_of_64_items_and_sets_of_32_at_most_on_average(int count, int idBits, int codeBits)
    {
        var items = new ItemTable(
            [.. Enumerable.Range(0, count).Select(item => $"item {item}")],
            [.. Enumerable.Range(0, count).Select(item => new SemanticId([(ushort)(item >> 12), (ushort)(item & 4095)]))],
            [.. Enumerable.Repeat("", count)], [256, 4096]);
        var layout = TableLayout.Of(items);
        Assert.Equal((idBits, codeBits), (layout.IdBits, layout.CodeBits));
        int[] hashes = [.. items.Ids.GroupBy(layout.HashOf).Select(hash => hash.Count())];
        Assert.True(hashes.Length <= 1 << idBits && hashes.Max() <= 128, $"{hashes.Length} hashes, the largest of {hashes.Max()}");
        Assert.Equal(layout.ToString(), TableLayout.TryParse(layout.ToString())!.ToString());
    }

    [Fact]
    public void A_prefix_is_in_its_sets_whether_it_is_longer_or_shorter_than_their_numbers_and_members_sort_as_codes_do()
    {
        var random = new Random(1);
        SemanticId One() => new([Code(5), 0, Code(300), Code(16)], Code(70));
        ushort Code(int size) => (ushort)random.Next(size);
        foreach (int bits in new[] { 0, 1, 3, 5, 9, 12, 14 })
        {
            var layout = new TableLayout(4, bits, [5, 1, 300, 16]); // 3, 0, 9 and 4 bits
            var ids = Enumerable.Range(0, 300).Select(_ => One()).Distinct().ToList();
            for (int length = 1; length <= 4; length++)
            {
                foreach (var id in ids.Take(40))
                {
                    ushort[] prefix = id.Codes()[..length];
                    var (from, to) = layout.SetsOf(prefix);
                    var expected = ids.Where(other => other.Codes().Take(length).SequenceEqual(prefix)).Order().ToList();
                    Assert.All(expected, other => Assert.InRange(layout.SetOf(other), from, to - 1));
                    string start = layout.Prefix(prefix);
                    Assert.Equal(
                        expected.Select(other => layout.Member(other, "x")),
                        ids.GroupBy(layout.SetOf).Where(set => set.Key >= from && set.Key < to).OrderBy(set => set.Key)
                            .SelectMany(set => set.Select(other => layout.Member(other, "x")).Order(StringComparer.Ordinal))
                            .Where(member => member.StartsWith(start, StringComparison.Ordinal)));
                }
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1 2")]
    [InlineData("1 2 256/x")]
    [InlineData("1 2 256/0")]
    [InlineData("31 2 256")]
    [InlineData("-1 2 256")]
    public void Text_that_is_no_layout_is_none(string? text) => Assert.Null(TableLayout.TryParse(text));
}
