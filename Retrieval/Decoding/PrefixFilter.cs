namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The prefixes that a query's beams may enter: exactly those with an item below that may be answered. So filtering inside the beam costs
/// no answer: each open prefix still leads to one.
/// </summary>
/// <param name="Only">Whether the listed nodes are the open ones; else they are the closed ones.</param>
/// <param name="Listed">[depth] nodes in the layers that they belong to. Of closed ones the highest: below them nothing is ever
/// asked; and not those that a <see cref="TrieFilter"/> closes.</param>
public sealed record PrefixFilter(bool Only, IReadOnlyList<(int Layer, int Node)>[] Listed)
{
    public static PrefixFilter Of(TrieLayers trie, Admission admission)
    {
        var ids = admission.Listed.Select(item => trie.Items.SemanticIds[item]).ToArray();
        var listed = new IReadOnlyList<(int, int)>[trie.Depth];
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            var groups = ids.GroupBy(id => trie.OwnerOf(id, depth)).ToLookup(group => admission.Only
                || group.Count() == (admission.Filter?.CountBelow(group.Key, depth) ?? trie.CountBelow(group.First(), depth)));
            listed[depth] = [.. groups[true].Select(group => group.Key)];
            ids = admission.Only ? ids : [.. groups[false].SelectMany(group => group)];
        }

        return new PrefixFilter(admission.Only, listed);
    }
}
