using System.Runtime.InteropServices;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The items of a table as a few tries: one of the items that the version was built with, and behind it smaller ones of appended
/// items. An append makes one trie of what is new and of the last ones that are not much larger (a log-structured merge), so an item is
/// sorted a logarithmic number of times however many come, and the large trie is shared. To the search they are one trie: a prefix
/// belongs to the first layer that has it (<see cref="OwnerOf"/>), and a beam stands at its node in each layer at once.
/// </summary>
public sealed class TrieLayers
{
    /// <summary>A layer is merged into its successor unless it is this many times larger; fewer layers make a faster search.</summary>
    private const int Growth = 8;

    /// <summary>Items that are sorted anew with every append rather than searched as layers of their own.</summary>
    private const int MinLayer = 256;

    private readonly TrieLayer[] _layers;
    private readonly int[] _nodes; // [depth] distinct prefixes

    public TrieLayers(ItemTable items)
        : this(items, [], 0)
    {
    }

    private TrieLayers(ItemTable items, TrieLayer[] kept, long indexed)
    {
        Items = items;
        int from = kept.Sum(layer => layer.Trie.Leaves);
        TrieLayer[] last = from == items.Count && kept.Length > 0 // the same items as before
            ? []
            : [new TrieLayer(new ItemTrie(items, from), items, [.. kept.Select(layer => layer.Trie)])];
        _layers = [.. kept, .. last];
        _nodes = [.. Enumerable.Range(0, Depth).Select(depth => _layers.Sum(layer => layer.Owned(depth)))];
        Indexed = indexed + last.Sum(layer => layer.Trie.Leaves);
    }

    /// <summary>The table that the leaves are of.</summary>
    public ItemTable Items { get; }

    /// <summary>Tokens of one item.</summary>
    public int Depth => Items.Levels + 1;

    public int Leaves => _nodes[^1];

    public int Layers => _layers.Length;

    /// <summary>Items sorted into tries since the first table, those of this one and of all before it: the work of appending.</summary>
    public long Indexed { get; }

    /// <summary>One of the tries, the large one first.</summary>
    internal ItemTrie Layer(int layer) => _layers[layer].Trie;

    /// <summary>Distinct prefixes of <paramref name="depth"/> + 1 tokens.</summary>
    public int Nodes(int depth) => _nodes[depth];

    /// <summary>The same over a table that begins with this one's items.</summary>
    public TrieLayers With(ItemTable items)
    {
        int keep = _layers.Length;
        for (int fresh = items.Count - Items.Count;
            keep > 0 && _layers[keep - 1].Trie.Leaves < Math.Max(MinLayer, (long)Growth * fresh) && fresh > 0; keep--)
        {
            fresh += _layers[keep - 1].Trie.Leaves;
        }

        return new TrieLayers(items, _layers[..keep], Indexed);
    }

    /// <summary>The item of a leaf.</summary>
    /// <param name="leaves">[layers] the beam's node at the last depth, -1 but in one of them.</param>
    public int ItemOf(int[] leaves)
    {
        int layer = Array.FindIndex(leaves, leaf => leaf >= 0);
        return _layers[layer].Trie.LeafItem[leaves[layer]];
    }

    /// <summary>The layer and node that a prefix belongs to: those of the first layer that has it.</summary>
    public (int Layer, int Node) OwnerOf(SemanticId id, int depth)
    {
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            if (_layers[layer].Trie.NodeOf(id, depth) is var node and >= 0)
            {
                return (layer, node);
            }
        }

        throw new InvalidOperationException($"No item begins with the first {depth + 1} tokens of {id}.");
    }

    /// <summary>Items whose IDs begin with an ID's first <paramref name="depth"/> + 1 tokens.</summary>
    public int CountBelow(SemanticId id, int depth) => _layers.Sum(layer => layer.Trie.NodeOf(id, depth) is var node and >= 0
        ? layer.Trie.FirstLeaf[depth][node + 1] - layer.Trie.FirstLeaf[depth][node]
        : 0);

    /// <summary>Items whose IDs begin with an ID's first <paramref name="depth"/> + 1 tokens.</summary>
    public IEnumerable<int> ItemsBelow(SemanticId id, int depth) => _layers.Select(layer => layer.Trie).SelectMany(
        trie => trie.NodeOf(id, depth) is var node and >= 0
            ? trie.LeafItem[trie.FirstLeaf[depth][node]..trie.FirstLeaf[depth][node + 1]]
            : []);

    /// <summary>Adds the children of a prefix that may be entered, by their tokens.</summary>
    /// <param name="depth">Of the children.</param>
    /// <param name="nodes">[layers] where the prefix stands, -1: nowhere; null: the root.</param>
    internal void Children(int depth, int[]? nodes, PrefixFilter filter, List<TrieChild> children)
    {
        int before = children.Count;
        bool all = filter.IsAllOpen(depth);
        for (int at = 0; at < _layers.Length; at++)
        {
            var (first, end) = Range(depth, nodes, at);
            for (int node = first; node < end; node++)
            {
                if (!_layers[at].IsForeign(depth, node) && (all || filter.IsOpen(depth, (at, node))))
                {
                    children.Add(new TrieChild(_layers[at].Trie.Tokens[depth][node], at, node));
                }
            }
        }

        if (_layers.Length > 1)
        {
            CollectionsMarshal.AsSpan(children)[before..].Sort((a, b) => a.Token.CompareTo(b.Token));
        }
    }

    /// <summary>Where a prefix and a child of it stand.</summary>
    /// <param name="nodes">[layers] of the prefix; null: the root.</param>
    /// <returns>[layers]; -1: nowhere.</returns>
    internal int[] Follow(int depth, int[]? nodes, TrieChild child)
    {
        var followed = new int[_layers.Length];
        for (int at = 0; at < followed.Length; at++)
        {
            var (first, end) = Range(depth, nodes, at);
            followed[at] = at == child.Layer ? child.Node
                : Math.Max(-1, Array.BinarySearch(_layers[at].Trie.Tokens[depth], first, end - first, child.Token));
        }

        return followed;
    }

    private (int First, int End) Range(int depth, int[]? nodes, int at)
    {
        var trie = _layers[at].Trie;
        return depth == 0 ? (0, trie.Nodes(0))
            : nodes![at] < 0 ? (0, 0)
            : (trie.FirstChild[depth - 1][nodes[at]], trie.FirstChild[depth - 1][nodes[at] + 1]);
    }
}

/// <summary>A prefix, by the last of its tokens and the node that owns it.</summary>
internal readonly record struct TrieChild(int Token, int Layer, int Node);

/// <summary>One trie, and which of its prefixes an earlier one has.</summary>
internal sealed class TrieLayer
{
    private readonly bool[]?[] _foreign; // [depth][nodes]; null: none
    private readonly int[] _owned;

    /// <param name="items">The table that the trie is of.</param>
    /// <param name="earlier">The tries before this one.</param>
    public TrieLayer(ItemTrie trie, ItemTable items, ItemTrie[] earlier)
    {
        Trie = trie;
        _foreign = [.. Enumerable.Range(0, trie.Depth).Select(depth => earlier.Length == 0 ? null
            : Enumerable.Range(0, trie.Nodes(depth)).Select(node =>
            {
                var id = items.SemanticIds[trie.LeafItem[trie.FirstLeaf[depth][node]]];
                return earlier.Any(other => other.NodeOf(id, depth) >= 0);
            }).ToArray())];
        _owned = [.. _foreign.Select((foreign, depth) => trie.Nodes(depth) - (foreign?.Count(known => known) ?? 0))];
    }

    public ItemTrie Trie { get; }

    /// <summary>Nodes of a depth whose prefix no earlier trie has.</summary>
    public int Owned(int depth) => _owned[depth];

    /// <summary>Whether an earlier trie has a node's prefix.</summary>
    public bool IsForeign(int depth, int node) => _foreign[depth]?[node] == true;
}
