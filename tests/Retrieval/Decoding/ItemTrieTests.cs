using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Tests.Decoding;

public class ItemTrieTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(40, 2)]
    [InlineData(300, 3)]
    public void Every_depth_holds_exactly_the_distinct_prefixes_in_order(int items, int seed)
    {
        var table = Tiny.Table(items, [7, 5, 9], seed);
        var trie = new ItemTrie(table);

        for (int depth = 0; depth < trie.Depth; depth++)
        {
            var expected = table.SemanticIds.Select(id => Prefix(id, depth)).Distinct().Order(StringComparer.Ordinal).ToArray();
            var actual = Enumerable.Range(0, trie.Nodes(depth))
                .Select(node => Prefix(table.SemanticIds[trie.LeafItem[trie.FirstLeaf[depth][node]]], depth)).ToArray();
            Assert.Equal(expected, actual);
            for (int node = 0; node < trie.Nodes(depth); node++)
            {
                var (first, end) = (trie.FirstLeaf[depth][node], trie.FirstLeaf[depth][node + 1]);
                var below = Enumerable.Range(first, end - first).Select(leaf => trie.LeafItem[leaf]);
                var having = table.SemanticIds.Index().Where(pair => Prefix(pair.Item, depth) == actual[node]);
                Assert.Equal(having.Select(pair => pair.Index).Order(), below.Order());
                Assert.All(below, item => Assert.Equal(node, trie.NodeOf(table.SemanticIds[item], depth)));
                Assert.All(below, item => Assert.Equal(trie.Tokens[depth][node], ItemTrie.Token(table.SemanticIds[item], depth)));
            }
        }
    }

    [Fact]
    public void Children_of_all_nodes_partition_the_next_depth()
    {
        var trie = new ItemTrie(Tiny.Table(200, [4, 4, 4], 5));
        for (int depth = 0; depth + 1 < trie.Depth; depth++)
        {
            Assert.Equal(0, trie.FirstChild[depth][0]);
            Assert.Equal(trie.Nodes(depth + 1), trie.FirstChild[depth][^1]);
            for (int node = 0; node < trie.Nodes(depth); node++)
            {
                Assert.True(trie.FirstChild[depth][node] < trie.FirstChild[depth][node + 1]);
                Assert.Equal(trie.FirstLeaf[depth][node], trie.FirstLeaf[depth + 1][trie.FirstChild[depth][node]]);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_prefix_is_closed_exactly_when_no_item_below_it_may_be_answered(int seed)
    {
        var table = Tiny.Table(60, [3, 3, 3], seed);
        var trie = new ItemTrie(table);
        var random = new Random(seed);
        var excluded = Enumerable.Range(0, 60).Where(_ => random.Next(2) == 0).ToHashSet();
        var layers = new TrieLayers(table);
        var (closed, open) = (
            PrefixFilter.Of(layers, Admission.AllBut(excluded.Concat(excluded))).Listed,
            PrefixFilter.Of(layers, Admission.OnlyOf(Enumerable.Range(0, 60).Except(excluded))).Listed);

        bool IsSpent(int depth, int node) =>
            Enumerable.Range(0, 60).Where(item => trie.NodeOf(table.SemanticIds[item], depth) == node).All(excluded.Contains);
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            SemanticId First(int node) => table.SemanticIds[trie.LeafItem[trie.FirstLeaf[depth][node]]];
            var expected = Enumerable.Range(0, trie.Nodes(depth)).Where(
                node => IsSpent(depth, node) && (depth == 0 || !IsSpent(depth - 1, trie.NodeOf(First(node), depth - 1))));
            Assert.Equal(expected.Select(node => (0, node)), closed[depth].Order());
            Assert.Equal(
                Enumerable.Range(0, trie.Nodes(depth)).Where(node => !IsSpent(depth, node)).Select(node => (0, node)), open[depth].Order());
        }
    }

    // One letter a token, so that ordinal order of the text is the order of the tokens.
    private static string Prefix(SemanticId id, int depth) =>
        string.Concat(Enumerable.Range(0, depth + 1).Select(d => (char)('0' + ItemTrie.Token(id, d))));
}
