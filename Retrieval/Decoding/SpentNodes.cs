namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The prefixes whose every item is excluded from one query. A prefix is closed exactly when none of its items remains, so excluding
/// inside the beam costs no answer: each open prefix still leads to an item that may be returned.
/// </summary>
public static class SpentNodes
{
    /// <summary>Highest spent nodes per depth: those whose parent is still open (below a spent node nothing is ever asked).</summary>
    /// <returns>[depth] nodes, sorted.</returns>
    public static List<int>[] Find(ItemTrie trie, IEnumerable<int> excludedItems)
    {
        var leaves = excludedItems.Select(trie.LeafOf).Where(leaf => leaf >= 0).Distinct().Order().ToArray();
        var spent = new List<int>[trie.Depth];
        var closed = new HashSet<int>(); // leaves below a spent node of a smaller depth
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            spent[depth] = [];
            foreach (var group in leaves.Where(leaf => !closed.Contains(leaf)).GroupBy(leaf => trie.Ancestor(leaf, depth)).ToArray())
            {
                int remaining = trie.FirstLeaf[depth][group.Key + 1] - trie.FirstLeaf[depth][group.Key] - group.Count();
                if (remaining == 0)
                {
                    spent[depth].Add(group.Key);
                    closed.UnionWith(group);
                }
            }
        }

        return spent;
    }
}
