namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The items of a table as a few tries: one of the items that the version was built with, and behind it smaller ones of appended
/// items. An append makes one trie of what is new and of the last ones that are not much larger (a log-structured merge), so an item is
/// sorted a logarithmic number of times however many come, and the large trie is shared. To the search they are one trie: a prefix
/// belongs to the first layer that has it (<see cref="OwnerOf"/>), and a beam stands at its node in each layer at once.
/// </summary>
public sealed class TrieLayers : IDisposable
{
    /// <summary>A layer is merged into its successor unless it is this many times larger; fewer layers make a faster search.</summary>
    private const int Growth = 8;

    /// <summary>Items that are sorted anew with every append rather than searched as layers of their own.</summary>
    private const int MinLayer = 256;

    private readonly TrieTensors[] _layers;
    private readonly int[] _sizes; // [depth] tokens
    private readonly Device _device;
    private readonly int[] _nodes; // [depth] distinct prefixes
    private bool _disposed;

    /// <param name="sizes">[depth] tokens at each level, the collision tokens last.</param>
    public TrieLayers(ItemTable items, int[] sizes, Device device)
        : this(items, sizes, device, [], 0)
    {
    }

    private TrieLayers(ItemTable items, int[] sizes, Device device, TrieTensors[] kept, long indexed)
    {
        (Items, _sizes, _device) = (items, sizes, device);
        int from = kept.Sum(layer => layer.Trie.Leaves);
        TrieTensors[] last = from == items.Count && kept.Length > 0 // the same items as before
            ? []
            : [new TrieTensors(new ItemTrie(items, from), items, sizes, device, [.. kept.Select(layer => layer.Trie)])];
        _layers = [.. kept.Select(layer => layer.Share()), .. last];
        _nodes = [.. Enumerable.Range(0, Depth).Select(depth => _layers.Sum(layer => layer.Owned(depth)))];
        Indexed = indexed + last.Sum(layer => layer.Trie.Leaves);
    }

    /// <summary>The table that the leaves are of.</summary>
    public ItemTable Items { get; }

    /// <summary>Tokens of one item.</summary>
    public int Depth => _sizes.Length;

    public int Leaves => _nodes[^1];

    public int Layers => _layers.Length;

    /// <summary>Items sorted into tries since the first table, those of this one and of all before it: the work of appending.</summary>
    public long Indexed { get; }

    /// <summary>One of the tries, the large one first.</summary>
    internal ItemTrie Layer(int layer) => _layers[layer].Trie;

    /// <summary>Distinct prefixes of <paramref name="depth"/> + 1 tokens.</summary>
    public int Nodes(int depth) => _nodes[depth];

    /// <summary>Tokens that the model knows at a depth.</summary>
    public int Size(int depth) => _sizes[depth];

    /// <summary>The same over a table that begins with this one's items. Both are disposed, in any order.</summary>
    public TrieLayers With(ItemTable items)
    {
        int keep = _layers.Length;
        for (int fresh = items.Count - Items.Count;
            keep > 0 && _layers[keep - 1].Trie.Leaves < Math.Max(MinLayer, (long)Growth * fresh) && fresh > 0; keep--)
        {
            fresh += _layers[keep - 1].Trie.Leaves;
        }

        return new TrieLayers(items, _sizes, _device, _layers[..keep], Indexed);
    }

    /// <summary>The item of a leaf.</summary>
    /// <param name="leaves">[layers] the beam's node at the last depth, -1 but in one of them.</param>
    public int ItemOf(ReadOnlySpan<long> leaves)
    {
        int layer = 0;
        while (leaves[layer] < 0)
        {
            layer++;
        }

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

    /// <summary>The root, in every layer.</summary>
    internal Tensor[] Root(long rows, Device device) => [.. _layers.Select(_ => zeros(rows, 1, ScalarType.Int64, device))];

    /// <summary>Adds to each beam the log-probabilities of its children; −inf where a place has no child, or a closed one.</summary>
    /// <param name="nodes">[layers] each [rows, beams]: where the beams stand at the depth before, -1: nowhere.</param>
    /// <param name="scores">[rows, beams] their log-probabilities.</param>
    /// <param name="logProbabilities">[rows, beams, tokens] over all tokens of the depth.</param>
    /// <param name="filters">[rows] the prefixes that a row may enter; null: every one.</param>
    /// <param name="open">[layers][depth] of <see cref="TrieFilter.Open"/>: what any row may enter; null: everything.</param>
    /// <returns>Both [rows, beams, places]: scores and tokens, of collision tokens also those that the model does not know.</returns>
    internal (Tensor Scores, Tensor Tokens) Expand(
        int depth, Tensor[] nodes, Tensor scores, Tensor logProbabilities, PrefixFilter?[] filters,
        Tensor[][]? open = null)
    {
        var parts = _layers.Select((layer, at) =>
        {
            var (sums, tokens) = layer.Expand(depth, nodes[at], scores, logProbabilities, open?[at][depth]);
            return (Sums: Close(sums, nodes[at], layer, at, filters, depth), Tokens: tokens);
        }).ToArray();
        return parts.Length == 1 ? parts[0]
            : (cat([.. parts.Select(part => part.Sums)], 2), cat([.. parts.Select(part => part.Tokens)], 2));
    }

    /// <summary>Where beams stand after one more token.</summary>
    /// <param name="parents">[rows, new beams] the beam that each continues.</param>
    /// <param name="tokens">[rows, new beams] the token that it takes.</param>
    /// <returns>[layers] each [rows, new beams]; -1: nowhere.</returns>
    internal Tensor[] Follow(int depth, Tensor[] nodes, Tensor parents, Tensor tokens) =>
        [.. _layers.Select((layer, at) => layer.Follow(depth, nodes[at].gather(1, parents), tokens))];

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Array.ForEach(_layers, layer => layer.Dispose());
        }
    }

    private static Tensor Close(Tensor sums, Tensor nodes, TrieTensors layer, int at, PrefixFilter?[] filters, int depth)
    {
        var mine = filters.Select(filter => filter?.Listed[depth].Where(node => node.Layer == at).ToArray() ?? []).ToArray();
        int width = mine.Max(row => row.Length);
        bool[] only = [.. filters.Select(filter => filter?.Only == true)];
        if (width == 0 && !only.Contains(true))
        {
            return sums;
        }

        var (parents, places) = (new long[mine.Length * width], new long[mine.Length * width]);
        Array.Fill(parents, -2);
        for (int row = 0; row < mine.Length; row++)
        {
            for (int i = 0; i < mine[row].Length; i++)
            {
                (parents[(row * width) + i], places[(row * width) + i]) = layer.PlaceOf(depth, mine[row][i].Node);
            }
        }

        var parent = tensor(parents, [mine.Length, 1, width], dtype: ScalarType.Int64, device: sums.device);
        // Where no beam stands at the parent, there may be no such place: nothing is added to another.
        var place = tensor(places, [mine.Length, 1, width], dtype: ScalarType.Int64, device: sums.device)
            .clamp(max: sums.size(2) - 1).expand(-1, sums.size(1), -1);
        var found = nodes.unsqueeze(2).eq(parent).to(ScalarType.Float32); // [rows, beams, listed]
        var listed = zeros_like(sums).scatter_add(2, place, found).gt(0); // [rows, beams, places]
        return sums.masked_fill(listed.ne(tensor(only, [only.Length, 1, 1], device: sums.device)), float.NegativeInfinity);
    }
}
