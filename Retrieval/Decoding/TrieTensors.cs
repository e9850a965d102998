namespace Recsys.Retrieval.Decoding;

/// <summary>
/// One layer's trie as the search reads it, after STATIC: in the first layer dense child tables for the first two depths (a child stands
/// at its token), else compressed sparse rows (a child stands at its rank) with places for the largest group among the nodes reached. A
/// step's cost depends neither on the catalogue's size nor on groups that no beam has come to. Tables share it: the constructor and each
/// <see cref="Share"/> are answered by one <see cref="Dispose"/>.
/// </summary>
internal sealed class TrieTensors : IDisposable
{
    private const long MaxDenseCells = 1 << 24;

    private readonly Tensor?[] _dense; // [parents, tokens] child node, −1 where there is none
    private readonly Tensor?[] _firstChild; // [parents + 1]; this and tokens where there is no dense table
    private readonly Tensor?[] _tokens; // [nodes]
    private readonly Tensor?[] _foreign; // [nodes] whether an earlier layer has the prefix; null: none does
    private readonly int[] _owned;
    private int _holders = 1;

    /// <param name="items">The table that the trie is of.</param>
    /// <param name="sizes">[depth] tokens at each level.</param>
    /// <param name="earlier">The layers before this one.</param>
    public TrieTensors(ItemTrie trie, ItemTable items, int[] sizes, Device device, ItemTrie[] earlier)
    {
        Trie = trie;
        (_dense, _firstChild, _tokens, _foreign) =
            (new Tensor?[trie.Depth], new Tensor?[trie.Depth], new Tensor?[trie.Depth], new Tensor?[trie.Depth]);
        _owned = new int[trie.Depth];
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            int parents = depth == 0 ? 1 : trie.Nodes(depth - 1);
            _owned[depth] = trie.Nodes(depth);
            if (earlier.Length == 0 && depth < Math.Min(2, trie.Depth - 1) && (long)parents * sizes[depth] <= MaxDenseCells)
            {
                var children = new long[parents * sizes[depth]];
                Array.Fill(children, -1);
                for (int parent = 0; parent < parents; parent++)
                {
                    for (int child = FirstChild(depth, parent); child < FirstChild(depth, parent + 1); child++)
                    {
                        children[(parent * sizes[depth]) + trie.Tokens[depth][child]] = child;
                    }
                }

                _dense[depth] = Kept(tensor(children, [parents, sizes[depth]], device: device));
                continue;
            }

            _tokens[depth] = Kept(tensor(Array.ConvertAll(trie.Tokens[depth], token => (long)token), device: device));
            _firstChild[depth] = Kept(tensor(
                Enumerable.Range(0, parents + 1).Select(parent => (long)FirstChild(depth, parent)).ToArray(), device: device));
            if (earlier.Length > 0)
            {
                var foreign = Enumerable.Range(0, trie.Nodes(depth)).Select(node =>
                {
                    var id = items.SemanticIds[trie.LeafItem[trie.FirstLeaf[depth][node]]];
                    return earlier.Any(other => other.NodeOf(id, depth) >= 0);
                }).ToArray();
                _owned[depth] -= foreign.Count(known => known);
                _foreign[depth] = Kept(tensor(foreign, device: device));
            }
        }
    }

    public ItemTrie Trie { get; }

    /// <summary>Nodes of a depth whose prefix no earlier layer has.</summary>
    public int Owned(int depth) => _owned[depth];

    /// <summary>One more holder, who disposes it as well. Only a holder may ask.</summary>
    public TrieTensors Share()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    /// <summary>Adds to each beam the log-probabilities of its children; −inf where a place has no child, or an earlier layer
    /// has it.</summary>
    /// <param name="nodes">[rows, beams] nodes of the depth before (0: the root), -1: none.</param>
    /// <param name="open">[nodes] of this depth that may be entered; null: all.</param>
    /// <returns>Both [rows, beams, places]: scores and tokens.</returns>
    public (Tensor Scores, Tensor Tokens) Expand(int depth, Tensor nodes, Tensor scores, Tensor logProbabilities, Tensor? open)
    {
        if (_dense[depth] is { } table)
        {
            var child = At(table, nodes.clamp(min: 0)); // [rows, beams, tokens]
            var closed = child.lt(0) | nodes.lt(0).unsqueeze(2);
            closed = open is null ? closed : closed | At(open, child.clamp(min: 0)).logical_not();
            var sums = (logProbabilities + scores.unsqueeze(2)).masked_fill(closed, float.NegativeInfinity);
            return (sums, arange(table.size(1), ScalarType.Int64, nodes.device).expand(sums.shape)); // [rows, beams, tokens]
        }

        var (children, outside) = Children(depth, nodes);
        if (_foreign[depth] is { } foreign)
        {
            outside = outside | At(foreign, children);
        }

        if (open is not null)
        {
            outside = outside | At(open, children).logical_not();
        }

        var tokens = At(_tokens[depth]!, children);
        // A collision token that the model does not know has the probability of the last known one: its item can still be found.
        var reached = logProbabilities.gather(2, tokens.clamp(max: logProbabilities.size(2) - 1)) + scores.unsqueeze(2);
        return (reached.masked_fill(outside, float.NegativeInfinity), tokens);
    }

    /// <summary>The children that tokens lead to.</summary>
    /// <param name="nodes">[rows, beams] nodes of the depth before, -1: none.</param>
    /// <param name="tokens">[rows, beams]</param>
    /// <returns>[rows, beams]; -1: none.</returns>
    public Tensor Follow(int depth, Tensor nodes, Tensor tokens)
    {
        if (_dense[depth] is { } table)
        {
            return At(table.view(-1), (nodes.clamp(min: 0) * table.size(1)) + tokens).masked_fill(nodes.lt(0), -1);
        }

        var (children, outside) = Children(depth, nodes);
        return children.masked_fill(outside | At(_tokens[depth]!, children).ne(tokens.unsqueeze(2)), -1).amax(2);
    }

    /// <summary>Where a node stands among its parent's places in <see cref="Expand"/>.</summary>
    public (int Parent, int Place) PlaceOf(int depth, int node)
    {
        int parent = 0;
        if (depth > 0)
        {
            int at = Array.BinarySearch(Trie.FirstChild[depth - 1], 0, Trie.Nodes(depth - 1), node);
            parent = at >= 0 ? at : ~at - 1;
        }

        return (parent, _dense[depth] is not null ? Trie.Tokens[depth][node] : node - FirstChild(depth, parent));
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            foreach (var tensor in _dense.Concat(_firstChild).Concat(_tokens).Concat(_foreign))
            {
                tensor?.Dispose();
            }
        }
    }

    /// <param name="nodes">[rows, beams] nodes of the depth before, -1: none.</param>
    /// <returns>Both [rows, beams, places]: children (0 or more everywhere), and where there are none.</returns>
    private (Tensor Children, Tensor Outside) Children(int depth, Tensor nodes)
    {
        var at = nodes.clamp(min: 0);
        var first = At(_firstChild[depth]!, at).unsqueeze(2); // [rows, beams, 1]
        var count = (At(_firstChild[depth]!, at + 1).unsqueeze(2) - first).masked_fill(nodes.lt(0).unsqueeze(2), 0);
        var place = arange(Math.Max(1, count.max().item<long>()), ScalarType.Int64, nodes.device); // [places]
        return ((first + place).clamp(max: Trie.Nodes(depth) - 1), place.ge(count));
    }

    private int FirstChild(int depth, int parent) => depth == 0 ? (parent == 0 ? 0 : Trie.Nodes(0)) : Trie.FirstChild[depth - 1][parent];

    private static Tensor Kept(Tensor tensor) => tensor.DetachFromDisposeScope();

    /// <summary>table[index] along the first axis, for an index of any shape.</summary>
    private static Tensor At(Tensor table, Tensor index) =>
        table.index_select(0, index.reshape(-1)).view([.. index.shape, .. table.shape[1..]]);
}
