namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The semantic IDs of all items as a prefix tree: depth d holds the distinct prefixes of d + 1 tokens (the codes, then the collision
/// token), sorted, so that a node's children and its leaves are ranges. Built by one sort; immutable. The search reads it as
/// tensors (<see cref="TrieTensors"/>).
/// </summary>
public sealed class ItemTrie
{
    private readonly int[] _leafOfItem;

    /// <param name="items">The table; appended items need nothing of their own.</param>
    /// <param name="collisionTokens">Collision tokens that the model knows; items beyond are left out and counted.</param>
    public ItemTrie(ItemTable items, int collisionTokens)
    {
        Depth = items.Levels + 1;
        var reachable = Enumerable.Range(0, items.Count).Where(item => items.SemanticIds[item].Collision < collisionTokens).ToArray();
        var ids = reachable.Select(item => items.SemanticIds[item]).ToArray();
        Array.Sort(ids, reachable);
        LeafItem = reachable;
        LeftOut = items.Count - reachable.Length;
        _leafOfItem = new int[items.Count];
        Array.Fill(_leafOfItem, -1);
        for (int leaf = 0; leaf < reachable.Length; leaf++)
        {
            _leafOfItem[reachable[leaf]] = leaf;
        }

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

    /// <summary>Items that the search cannot reach, because the model has no token for their collision token.</summary>
    public int LeftOut { get; }

    public int Leaves => LeafItem.Length;

    /// <summary>Distinct prefixes of <paramref name="depth"/> + 1 tokens.</summary>
    public int Nodes(int depth) => Tokens[depth].Length;

    /// <summary>The item's leaf; -1 where it was left out.</summary>
    public int LeafOf(int item) => _leafOfItem[item];

    /// <summary>The node of a depth above a leaf.</summary>
    public int Ancestor(int leaf, int depth)
    {
        int at = Array.BinarySearch(FirstLeaf[depth], 0, Nodes(depth), leaf);
        return at >= 0 ? at : ~at - 1;
    }

    /// <summary>Most children that a node of the depth has (-1: the root).</summary>
    public int MaxChildren(int depth) => depth < 0
        ? Nodes(0)
        : Enumerable.Range(0, Nodes(depth)).Select(node => FirstChild[depth][node + 1] - FirstChild[depth][node]).DefaultIfEmpty().Max();

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
