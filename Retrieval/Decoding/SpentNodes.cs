namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The prefixes whose every item is excluded from one query. A prefix is closed exactly when none of its items remains, so excluding
/// inside the beam costs no answer: each open prefix still leads to an item that may be returned.
/// </summary>
public static class SpentNodes
{
    /// <summary>Highest spent nodes per depth: those whose parent is still open (below a spent node nothing is ever asked).</summary>
    /// <returns>[depth] nodes in the layers that they belong to.</returns>
    public static List<(int Layer, int Node)>[] Find(TrieLayers trie, IEnumerable<int> excludedItems)
    {
        var open = excludedItems.Distinct().Select(item => trie.Items.SemanticIds[item]).ToArray();
        var spent = new List<(int, int)>[trie.Depth];
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            var groups = open.GroupBy(id => trie.OwnerOf(id, depth))
                .ToLookup(group => group.Count() == trie.CountBelow(group.First(), depth));
            spent[depth] = [.. groups[true].Select(group => group.Key)];
            open = [.. groups[false].SelectMany(group => group)];
        }

        return spent;
    }
}
