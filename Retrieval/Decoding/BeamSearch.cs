using System.Runtime.InteropServices;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// Beam search inside the trie, batched over users, and behind it branch and bound: where a prefix that the beam left may still lead to one
/// of the best items, the search comes back to it. Scores are sums of log-probabilities over all tokens: softmax first, mask after, so
/// that they stay comparable between requests. Finished beams are existing items and distinct by construction. What is asked for of one
/// user (several ways to search, items to be scored besides) goes through the levels together, and a prefix that they share is read once.
/// Ties have one order, whatever the layers of the trie: inside the beam the earlier beam and then the smaller token, in the answer
/// the smaller item index.
/// </summary>
internal sealed class BeamSearch(TrieLayers trie)
{
    /// <param name="states">Behind the histories alone.</param>
    /// <param name="beam">Prefixes kept at each depth, and as many again that the search may come back to.</param>
    /// <param name="k">The items that matter: where it is at most half of the beam, prefixes likelier than the k-th item are come back
    /// to.</param>
    /// <param name="ways">[ways][rows] the prefixes that each may enter; null: it is not searched.</param>
    /// <param name="listed">[rows] items that are scored besides.</param>
    /// <returns>[ways][rows] at most <paramref name="beam"/> items, fewer when the trie has fewer; and [rows] the log-probabilities of the
    /// listed ones.</returns>
    public (Decoded[][] Found, float[][] Listed) Search(
        PrefixStates states, int beam, int k, PrefixFilter?[][] ways, IReadOnlyList<int>[] listed, CancellationToken cancel = default)
    {
        var sums = Array.ConvertAll(listed, items => new float[items.Count]);
        int[][] at = [.. listed.Select((items, row) => Enumerable.Repeat(row, items.Count).ToArray())]; // the state behind each's prefix
        var rows = ways.Select(way => way.Select((filter, row) => filter is null ? null : new RowSearch(trie, filter, row, beam)).ToArray())
            .ToArray();
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            cancel.ThrowIfCancellationRequested();
            var next = new NextStates(states);
            for (int row = 0; row < states.Rows; row++)
            {
                next.BeginRow();
                foreach (var way in rows)
                {
                    way[row]?.Grow(depth, states, next);
                }

                for (int i = 0; i < at[row].Length; i++)
                {
                    // A collision token that the model does not know has the probability of the last known one.
                    int token = ItemTrie.Token(trie.Items.SemanticIds[listed[row][i]], depth);
                    sums[row][i] += states.LogProbabilities(at[row][i])[Math.Min(token, states.Tokens - 1)];
                    at[row][i] = next.Of(at[row][i], token);
                }
            }

            next.Extend(depth + 1 < trie.Depth);
        }

        RowSearch[] open = 2 * k > beam ? []
            : [.. rows.SelectMany(way => way).OfType<RowSearch>().Where(row => row.MayMiss(k)).OrderBy(row => row.Row)];
        for (int depth = 0; depth < trie.Depth && open.Length > 0; depth++)
        {
            cancel.ThrowIfCancellationRequested();
            var next = new NextStates(states);
            foreach (var of in open.GroupBy(row => row.Row))
            {
                next.BeginRow();
                foreach (var row in of)
                {
                    row.ComeBack(depth, states, next);
                }
            }

            next.Extend(depth + 1 < trie.Depth);
        }

        return ([.. rows.Select(way => way.Select(row => row?.Found() ?? Decoded.None).ToArray())], sums);
    }

    /// <summary>The likeliest codes where nothing says which of them items have: what the model generates when no trie holds it.</summary>
    /// <param name="levels">Codes of a tuple; the collision token is left out.</param>
    /// <returns>[rows] tuples, best first.</returns>
    public static SemanticId[][] Unconstrained(PrefixStates states, int beam, int levels)
    {
        var tuples = Enumerable.Range(0, states.Rows).Select(row => new List<(int State, float Sum, ushort[] Codes)> { (row, 0, []) })
            .ToArray();
        for (int level = 0; level < levels; level++)
        {
            var next = new NextStates(states);
            for (int row = 0; row < tuples.Length; row++)
            {
                next.BeginRow();
                var sums = new float[tuples[row].Count * states.Tokens];
                for (int i = 0; i < sums.Length; i++)
                {
                    var (state, sum, _) = tuples[row][i / states.Tokens];
                    sums[i] = sum + states.LogProbabilities(state)[i % states.Tokens];
                }

                tuples[row] = [.. TopItems.Of(sums, beam).Select(place =>
                {
                    var (from, token) = (tuples[row][place / states.Tokens], place % states.Tokens);
                    return (next.Of(from.State, token), sums[place], (ushort[])[.. from.Codes, (ushort)token]);
                })];
            }

            next.Extend(level + 1 < levels);
        }

        return Array.ConvertAll(tuples, row => row.Select(tuple => new SemanticId(tuple.Codes)).ToArray());
    }
}

/// <summary>The states that a search goes on to, each once.</summary>
internal sealed class NextStates(PrefixStates states)
{
    private readonly Dictionary<(int Parent, int Token), int> _known = [];
    private readonly List<int> _parents = [], _tokens = [];
    private readonly int _first = states.Count;

    /// <summary>Rows share no state.</summary>
    public void BeginRow() => _known.Clear();

    /// <summary>The number that a state will have.</summary>
    public int Of(int parent, int token)
    {
        ref int state = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, (parent, token), out bool known);
        if (!known)
        {
            state = _first + _parents.Count;
            _parents.Add(parent);
            _tokens.Add(token);
        }

        return state;
    }

    /// <param name="wanted">Whether anything comes behind these tokens.</param>
    public void Extend(bool wanted)
    {
        if (wanted)
        {
            states.Extend([.. _parents], [.. _tokens]);
        }
    }
}

/// <summary>What a search found.</summary>
/// <param name="Items">With their log-probabilities, best first.</param>
/// <param name="Bound">No other item that may be answered is likelier: the likeliest prefix that the search left. A token only makes a
/// prefix less likely.</param>
internal sealed record Decoded((int Item, double LogProbability)[] Items, double Bound)
{
    public static readonly Decoded None = new([], 0);

    /// <summary>The first items that are provably the likeliest of all, in this order.</summary>
    public int Certain { get; } = Items.TakeWhile(found => found.LogProbability > Bound).Count();
}
