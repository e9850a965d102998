namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The trie as the search reads it, after STATIC: dense child tables for the first two depths (a child stands at its token), compressed
/// sparse rows below (a child stands at its rank). A step's cost does not depend on the catalogue's size.
/// </summary>
public sealed class TrieTensors : IDisposable
{
    private const long MaxDenseCells = 1 << 24;

    private readonly ItemTrie _trie;
    private readonly Tensor?[] _dense; // [parents, tokens] child node, −1 where there is none
    private readonly Tensor?[] _firstChild; // [parents + 1]
    private readonly Tensor[] _tokens; // [nodes]
    private readonly int[] _maxChildren;

    /// <param name="sizes">[depth] tokens at each level.</param>
    public TrieTensors(ItemTrie trie, int[] sizes, Device device)
    {
        _trie = trie;
        (_dense, _firstChild, _tokens, _maxChildren) = (
            new Tensor?[trie.Depth], new Tensor?[trie.Depth], new Tensor[trie.Depth], new int[trie.Depth]);
        using var scope = NewDisposeScope();
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            int parents = depth == 0 ? 1 : trie.Nodes(depth - 1);
            _tokens[depth] = OnDevice(trie.Tokens[depth].Select(token => (long)token).ToArray(), [trie.Nodes(depth)], device);
            _maxChildren[depth] = trie.MaxChildren(depth - 1);
            if (depth < 2 && (long)parents * sizes[depth] <= MaxDenseCells)
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

                _dense[depth] = OnDevice(children, [parents, sizes[depth]], device);
            }
            else
            {
                _firstChild[depth] = OnDevice(
                    Enumerable.Range(0, parents + 1).Select(parent => (long)FirstChild(depth, parent)).ToArray(), [parents + 1], device);
            }
        }
    }

    /// <summary>Adds to each beam the log-probabilities of its children; −inf where a place has no child.</summary>
    /// <param name="nodes">[rows, beams] nodes of the depth before (0: the root).</param>
    /// <param name="scores">[rows, beams] their log-probabilities.</param>
    /// <param name="logProbabilities">[rows, beams, tokens] over all tokens of the depth.</param>
    /// <returns>Both [rows, beams, places]: scores, and child nodes (0 or more everywhere).</returns>
    public (Tensor Scores, Tensor Children) Expand(int depth, Tensor nodes, Tensor scores, Tensor logProbabilities)
    {
        if (_dense[depth] is { } table)
        {
            var children = At(table, nodes); // [rows, beams, tokens]
            var sums = (logProbabilities + scores.unsqueeze(2)).masked_fill(children.lt(0), float.NegativeInfinity);
            return (sums, children.clamp(min: 0));
        }

        var first = At(_firstChild[depth]!, nodes).unsqueeze(2); // [rows, beams, 1]
        var end = At(_firstChild[depth]!, nodes + 1).unsqueeze(2);
        var places = first + arange(_maxChildren[depth], ScalarType.Int64, nodes.device); // [rows, beams, places]
        var safe = places.clamp(max: _trie.Nodes(depth) - 1);
        var tokens = At(_tokens[depth], safe);
        var reached = (logProbabilities.gather(2, tokens) + scores.unsqueeze(2)).masked_fill(places.ge(end), float.NegativeInfinity);
        return (reached, safe);
    }

    /// <summary>The tokens of nodes.</summary>
    public Tensor Tokens(int depth, Tensor nodes) => At(_tokens[depth], nodes);

    /// <summary>Where a node stands among its parent's places in <see cref="Expand"/>.</summary>
    public (int Parent, int Place) PlaceOf(int depth, int node)
    {
        int parent = 0;
        if (depth > 0)
        {
            int at = Array.BinarySearch(_trie.FirstChild[depth - 1], 0, _trie.Nodes(depth - 1), node);
            parent = at >= 0 ? at : ~at - 1;
        }

        return (parent, _dense[depth] is not null ? _trie.Tokens[depth][node] : node - FirstChild(depth, parent));
    }

    public void Dispose()
    {
        foreach (var tensor in _dense.Concat(_firstChild).Concat(_tokens))
        {
            tensor?.Dispose();
        }
    }

    private int FirstChild(int depth, int parent) => depth == 0 ? (parent == 0 ? 0 : _trie.Nodes(0)) : _trie.FirstChild[depth - 1][parent];

    private static Tensor OnDevice(long[] values, long[] shape, Device device) =>
        tensor(values, shape, dtype: ScalarType.Int64, device: device).DetachFromDisposeScope();

    /// <summary>table[index] along the first axis, for an index of any shape.</summary>
    private static Tensor At(Tensor table, Tensor index) =>
        table.index_select(0, index.reshape(-1)).view([.. index.shape, .. table.shape[1..]]);
}
