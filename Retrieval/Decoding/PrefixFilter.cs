namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The prefixes that a query's beams may enter: exactly those with an item below that may be answered. So filtering inside the beam costs
/// no answer: each open prefix still leads to one.
/// </summary>
/// <param name="Only">Whether the listed nodes are the open ones; else they are the closed ones.</param>
/// <param name="Listed">[depth] nodes in the layers that they belong to. Of closed ones the highest: below them nothing is ever
/// asked; and not those that the filter closes.</param>
/// <param name="Passing">The items that a node must have one of below; null: any.</param>
public sealed record PrefixFilter(bool Only, IReadOnlySet<(int Layer, int Node)>[] Listed, TrieFilter? Passing)
{
    /// <param name="admission">Null: every item may be answered.</param>
    public static PrefixFilter Of(TrieLayers trie, Admission? admission)
    {
        var ids = admission?.Listed.Select(item => trie.Items.SemanticIds[item]).ToArray() ?? [];
        var listed = new IReadOnlySet<(int, int)>[trie.Depth];
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            var groups = ids.GroupBy(id => trie.OwnerOf(id, depth)).ToLookup(group => admission!.Only
                || group.Count() == (admission.Filter?.CountBelow(group.Key, depth) ?? trie.CountBelow(group.First(), depth)));
            listed[depth] = groups[true].Select(group => group.Key).ToHashSet();
            ids = admission?.Only == true ? ids : [.. groups[false].SelectMany(group => group)];
        }

        return new PrefixFilter(admission?.Only == true, listed, admission?.Filter);
    }

    /// <summary>Whether every prefix of a depth may be entered.</summary>
    public bool IsAllOpen(int depth) => Passing is null && !Only && Listed[depth].Count == 0;

    /// <summary>Whether beams may enter a prefix.</summary>
    /// <param name="owner">The node that it belongs to.</param>
    public bool IsOpen(int depth, (int Layer, int Node) owner) =>
        (Passing is null || Passing.CountBelow(owner, depth) > 0)
        && (Listed[depth].Count == 0 && !Only || Listed[depth].Contains(owner) == Only);
}
