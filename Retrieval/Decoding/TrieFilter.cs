using System.Collections;
using Recsys.Catalog.Attributes;

namespace Recsys.Retrieval.Decoding;

/// <summary>The items that a filter lets pass, counted below every node of a trie. Immutable; for one table's tries.</summary>
public sealed class TrieFilter
{
    /// <summary>Items that are few: to look at them all costs less than to look for them in a large catalogue.</summary>
    private const int MaxFew = 2048;

    private readonly TrieLayers _trie;
    private readonly BitArray _passing; // [items]
    private readonly Lazy<int[]?> _few;
    private readonly PagedInts[][] _below; // [layers][depth][nodes] items that pass, of all layers, at the nodes that own their prefixes

    /// <param name="passing">[items]</param>
    public TrieFilter(TrieLayers trie, BitArray passing)
        : this(trie, passing, [Array.ConvertAll(Count(trie.Layer(0), passing), counts => counts.ToBuilder(counts.Count))])
    {
    }

    /// <param name="counted">[layers][depth][nodes] of the first layers, their items counted already.</param>
    private TrieFilter(TrieLayers trie, BitArray passing, PagedInts.Builder[][] counted)
    {
        (_trie, _passing) = (trie, passing);
        PagedInts.Builder[][] below =
        [
            .. counted,
            .. Enumerable.Range(counted.Length, trie.Layers - counted.Length).Select(layer => Enumerable.Range(0, trie.Depth)
                .Select(depth => PagedInts.Of([]).ToBuilder(trie.Layer(layer).Nodes(depth))).ToArray()),
        ];
        for (int item = ItemsOf(trie, counted.Length); item < passing.Length; item++)
        {
            Add(trie, item, passing[item] ? 1 : 0, below);
        }

        _below = Array.ConvertAll(below, depths => Array.ConvertAll(depths, counts => counts.Done()));
        _few = new(() => _below.Sum(depths => Enumerable.Range(0, depths[0].Count).Sum(node => (long)depths[0][node])) > MaxFew
            ? null
            : [.. Enumerable.Range(0, passing.Length).Where(item => passing[item])]);
    }

    /// <summary>Nodes that it counts for: its memory, four bytes each.</summary>
    public long Nodes => _below.Sum(layer => layer.Sum(nodes => (long)nodes.Count));

    public bool Passes(int item) => _passing[item];

    /// <summary>The items that pass, ascending, where they are few; null: they are not.</summary>
    public int[]? Few => _few.Value;

    /// <summary>Items that pass below a prefix, which is named by the node that owns it.</summary>
    public int CountBelow((int Layer, int Node) owner, int depth) => _below[owner.Layer][depth][owner.Node];

    /// <summary>
    /// The filter for tries that these were made into: what was appended and what changed is judged, the rest is shared. Null where that
    /// cannot be told, or where all is sorted anew.
    /// </summary>
    /// <param name="filter">As before.</param>
    public TrieFilter? With(TrieLayers trie, ItemFilter filter)
    {
        var attributes = trie.Items.Attributes;
        int kept = 0;
        while (kept < Math.Min(trie.Layers, _trie.Layers) && trie.Layer(kept) == _trie.Layer(kept))
        {
            kept++;
        }

        if (kept == 0 || attributes.ChangedSince(_trie.Items.Attributes) is not { } changed)
        {
            return null;
        }

        var below = Array.ConvertAll(_below[..kept], depths => Array.ConvertAll(depths, counts => counts.ToBuilder(counts.Count)));
        int keptItems = ItemsOf(trie, kept);
        for (int item = keptItems; item < _passing.Length; item++)
        {
            Add(_trie, item, _passing[item] ? -1 : 0, below); // it is counted anew where it lies now
        }

        var passing = new BitArray(_passing) { Length = trie.Items.Count };
        foreach (int item in changed.Concat(Enumerable.Range(keptItems, passing.Length - keptItems)))
        {
            bool passes = attributes.Passes(filter, item);
            if (item < keptItems && passes != passing[item])
            {
                Add(trie, item, passes ? 1 : -1, below);
            }

            passing[item] = passes;
        }

        return new TrieFilter(trie, passing, below);
    }

    /// <summary>Adds to the owners of an item's prefixes, where they lie in the first layers that are given.</summary>
    private static void Add(TrieLayers trie, int item, int add, PagedInts.Builder[][] below)
    {
        for (int depth = 0; depth < trie.Depth && add != 0; depth++)
        {
            var (layer, node) = trie.OwnerOf(trie.Items.SemanticIds[item], depth);
            if (layer < below.Length)
            {
                below[layer][depth][node] += add;
            }
        }
    }

    /// <summary>Items of the first layers.</summary>
    private static int ItemsOf(TrieLayers trie, int layers) => Enumerable.Range(0, layers).Sum(layer => trie.Layer(layer).Leaves);

    private static PagedInts[] Count(ItemTrie trie, BitArray passing)
    {
        var before = new int[trie.Leaves + 1];
        for (int leaf = 0; leaf < trie.Leaves; leaf++)
        {
            before[leaf + 1] = before[leaf] + (passing[trie.LeafItem[leaf]] ? 1 : 0);
        }

        return [.. Enumerable.Range(0, trie.Depth).Select(depth => PagedInts.Of([.. Enumerable.Range(0, trie.Nodes(depth))
            .Select(node => before[trie.FirstLeaf[depth][node + 1]] - before[trie.FirstLeaf[depth][node]])]))];
    }
}
