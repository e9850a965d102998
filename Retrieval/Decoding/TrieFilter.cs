using System.Collections;

namespace Recsys.Retrieval.Decoding;

/// <summary>The items that a filter lets pass, counted below every node of a trie. Immutable; for one table's tries.</summary>
public sealed class TrieFilter
{
    private readonly BitArray _passing;
    private readonly int[][][] _below; // [layers][depth][nodes] items that pass; of a prefix in several layers, those of all with its owner

    /// <param name="passing">[items]</param>
    public TrieFilter(TrieLayers trie, BitArray passing)
    {
        _passing = passing;
        _below = [.. Enumerable.Range(0, trie.Layers).Select(layer => Count(trie.Layer(layer), passing))];
        for (int layer = 1; layer < trie.Layers; layer++)
        {
            var own = trie.Layer(layer);
            for (int depth = 0; depth < trie.Depth; depth++)
            {
                for (int node = 0; node < own.Nodes(depth); node++)
                {
                    var owner = trie.OwnerOf(trie.Items.SemanticIds[own.LeafItem[own.FirstLeaf[depth][node]]], depth);
                    _below[owner.Layer][depth][owner.Node] += owner.Layer == layer ? 0 : _below[layer][depth][node];
                }
            }
        }
    }

    /// <summary>Nodes that it counts for: its memory, four bytes each.</summary>
    public long Nodes => _below.Sum(layer => layer.Sum(nodes => (long)nodes.Length));

    public bool Passes(int item) => _passing[item];

    /// <summary>Items that pass below a prefix, which is named by the node that owns it.</summary>
    public int CountBelow((int Layer, int Node) owner, int depth) => _below[owner.Layer][depth][owner.Node];

    private static int[][] Count(ItemTrie trie, BitArray passing)
    {
        var before = new int[trie.Leaves + 1];
        for (int leaf = 0; leaf < trie.Leaves; leaf++)
        {
            before[leaf + 1] = before[leaf] + (passing[trie.LeafItem[leaf]] ? 1 : 0);
        }

        return [.. Enumerable.Range(0, trie.Depth).Select(depth => Enumerable.Range(0, trie.Nodes(depth))
            .Select(node => before[trie.FirstLeaf[depth][node + 1]] - before[trie.FirstLeaf[depth][node]]).ToArray())];
    }
}
