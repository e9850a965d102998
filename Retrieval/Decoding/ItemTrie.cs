using System.Runtime.CompilerServices;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The semantic IDs of all items as a prefix tree: depth d holds the distinct prefixes of d + 1 tokens (the codes, then the collision
/// token), sorted, so that a node's children and its leaves are ranges. Built by a radix sort; immutable.
/// </summary>
public sealed class ItemTrie
{
    /// <param name="items">The table.</param>
    /// <param name="from">The first item taken in; those before it are in other tries (<see cref="TrieLayers"/>).</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // it is called once: nothing would be compiled anew for its loops
    public ItemTrie(ItemTable items, int from = 0)
    {
        Depth = items.Levels + 1;
        int leaves = items.Count - from;
        ushort[][] tokens = [.. Enumerable.Range(0, Depth).Select(_ => new ushort[leaves])]; // by item
        for (int i = 0; i < leaves; i++)
        {
            var id = items.SemanticIds[from + i];
            for (int depth = 0; depth < Depth; depth++)
            {
                tokens[depth][i] = (ushort)Token(id, depth);
            }
        }

        LeafItem = [.. Enumerable.Range(0, leaves)];
        for (int depth = Depth - 1; depth >= 0; depth--)
        {
            LeafItem = SortedBy(tokens[depth], LeafItem);
        }

        tokens = Array.ConvertAll(tokens, level => ByLeaf(level, LeafItem));
        (Tokens, FirstChild, FirstLeaf) = (new int[Depth][], new int[Depth][], new int[Depth][]);
        bool[] starts = new bool[leaves]; // whether a leaf is the first of its prefix: so of all longer ones too
        for (int depth = 0; depth < Depth; depth++)
        {
            int nodes = 0;
            for (int leaf = 0; leaf < leaves; leaf++)
            {
                starts[leaf] |= leaf == 0 || tokens[depth][leaf] != tokens[depth][leaf - 1];
                nodes += starts[leaf] ? 1 : 0;
            }

            (Tokens[depth], FirstLeaf[depth], FirstChild[depth]) = (new int[nodes], new int[nodes + 1], new int[nodes + 1]);
            for (int leaf = 0, node = 0; leaf < leaves; leaf++)
            {
                if (starts[leaf])
                {
                    (Tokens[depth][node], FirstLeaf[depth][node]) = (tokens[depth][leaf], leaf);
                    node++;
                }
            }

            FirstLeaf[depth][nodes] = leaves;
        }

        for (int depth = 0; depth + 1 < Depth; depth++)
        {
            for (int node = 0, child = 0; node <= Nodes(depth); node++)
            {
                while (child < Nodes(depth + 1) && FirstLeaf[depth + 1][child] < FirstLeaf[depth][node])
                {
                    child++;
                }

                FirstChild[depth][node] = child;
            }
        }

        for (int leaf = 0; leaf < leaves; leaf++)
        {
            LeafItem[leaf] += from;
        }
    }

    /// <summary>Tokens of one item: codebook levels + 1.</summary>
    public int Depth { get; }

    /// <summary>[depth][nodes] the last token of each prefix.</summary>
    public int[][] Tokens { get; }

    /// <summary>[depth][nodes + 1] where a node's children start among the nodes of the next depth.</summary>
    public int[][] FirstChild { get; }

    /// <summary>[depth][nodes + 1] where the leaves below a node start.</summary>
    public int[][] FirstLeaf { get; }

    /// <summary>[leaves] the item of each leaf; leaves are sorted by semantic ID.</summary>
    public int[] LeafItem { get; }

    public int Leaves => LeafItem.Length;

    /// <summary>Distinct prefixes of <paramref name="depth"/> + 1 tokens.</summary>
    public int Nodes(int depth) => Tokens[depth].Length;

    /// <summary>The node of an ID's first <paramref name="depth"/> + 1 tokens; -1 where no item here begins so.</summary>
    public int NodeOf(SemanticId id, int depth)
    {
        int node = -1;
        for (int level = 0, first = 0, end = Nodes(0); level <= depth; level++)
        {
            node = Array.BinarySearch(Tokens[level], first, end - first, Token(id, level));
            if (node < 0)
            {
                return -1;
            }

            (first, end) = (FirstChild[level][node], FirstChild[level][node + 1]);
        }

        return node;
    }

    /// <summary>The token of an ID at a depth: its code, or at the last depth the collision token.</summary>
    public static int Token(SemanticId id, int depth) => depth < id.Levels ? id[depth] : id.Collision;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ushort[] ByLeaf(ushort[] tokens, int[] items)
    {
        var sorted = new ushort[items.Length];
        for (int leaf = 0; leaf < sorted.Length; leaf++)
        {
            sorted[leaf] = tokens[items[leaf]];
        }

        return sorted;
    }

    /// <summary>One pass of a radix sort: equal tokens keep their order.</summary>
    /// <param name="tokens">[items]</param>
    /// <param name="order">[items] in the order of the tokens behind this one.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int[] SortedBy(ushort[] tokens, int[] order)
    {
        int largest = 0;
        foreach (ushort token in tokens)
        {
            largest = Math.Max(largest, token);
        }

        var starts = new int[largest + 2];
        foreach (ushort token in tokens)
        {
            starts[token + 1]++;
        }

        for (int token = 1; token < starts.Length; token++)
        {
            starts[token] += starts[token - 1];
        }

        var sorted = new int[order.Length];
        foreach (int item in order)
        {
            sorted[starts[tokens[item]]++] = item;
        }

        return sorted;
    }
}
