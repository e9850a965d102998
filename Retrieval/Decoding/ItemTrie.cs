namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The semantic IDs of all items as a prefix tree: depth d holds the distinct prefixes of d + 1 tokens (the codes, then the collision
/// token), sorted, so that a node's children and its leaves are ranges. Built by one sort; immutable.
/// </summary>
public sealed class ItemTrie
{
    /// <param name="items">The table.</param>
    /// <param name="from">The first item taken in; those before it are in other tries (<see cref="TrieLayers"/>).</param>
    public ItemTrie(ItemTable items, int from = 0)
    {
        Depth = items.Levels + 1;
        LeafItem = [.. Enumerable.Range(from, items.Count - from)];
        var ids = Array.ConvertAll(LeafItem, item => items.SemanticIds[item]); // by index: what is before is not gone through
        Array.Sort(ids, LeafItem);
        var tokens = new List<int>[Depth];
        var firstChild = new List<int>[Depth];
        var firstLeaf = new List<int>[Depth];
        for (int depth = 0; depth < Depth; depth++)
        {
            (tokens[depth], firstChild[depth], firstLeaf[depth]) = ([], [], []);
        }

        for (int leaf = 0; leaf < ids.Length; leaf++)
        {
            // The sorted order makes every prefix a run: from the first token that differs on, every node is new.
            for (int depth = leaf == 0 ? 0 : FirstDifference(ids[leaf - 1], ids[leaf]); depth < Depth; depth++)
            {
                tokens[depth].Add(Token(ids[leaf], depth));
                firstLeaf[depth].Add(leaf);
                firstChild[depth].Add(depth + 1 < Depth ? tokens[depth + 1].Count : 0);
            }
        }

        for (int depth = 0; depth < Depth; depth++)
        {
            firstLeaf[depth].Add(ids.Length);
            firstChild[depth].Add(depth + 1 < Depth ? tokens[depth + 1].Count : 0);
        }

        Tokens = [.. tokens.Select(level => level.ToArray())];
        FirstChild = [.. firstChild.Select(level => level.ToArray())];
        FirstLeaf = [.. firstLeaf.Select(level => level.ToArray())];
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

    private int FirstDifference(SemanticId left, SemanticId right)
    {
        int depth = 0;
        while (depth < Depth - 1 && left[depth] == right[depth])
        {
            depth++;
        }

        return depth;
    }
}
