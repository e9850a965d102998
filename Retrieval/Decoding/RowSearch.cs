using System.Runtime.InteropServices;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>One row of a search: its beam, and the prefixes that the beam left.</summary>
/// <param name="filter">The prefixes that may be entered.</param>
/// <param name="row">Its number, and that of the state that it begins with.</param>
/// <param name="width">Of the beam.</param>
internal sealed class RowSearch(TrieLayers trie, PrefixFilter filter, int row, int width)
{
    [ThreadStatic]
    private static (List<TrieChild> Children, List<int> From, List<float> Sums)? _room; // new ones would wait for a full collection

    private readonly List<Prefix>[] _left = [.. Enumerable.Range(0, trie.Depth).Select(_ => new List<Prefix>())]; // [depth]
    private Prefix[] _beam = [new(row, default, 0, null)];
    private List<Prefix> _found = []; // items
    private float _least; // log-probability of the k-th item, once prefixes are come back to
    private float _bound = float.NegativeInfinity; // the likeliest prefix that is given up

    public int Row => row;

    /// <summary>The beam goes on to its best children.</summary>
    /// <param name="depth">Theirs.</param>
    public void Grow(int depth, PrefixStates states, NextStates next)
    {
        var children = Children(depth, _beam, states, float.NegativeInfinity);
        _beam = children[..Math.Min(width, children.Length)];
        _left[depth].AddRange(children[_beam.Length..]);
        Continue(_beam, next);
        if (depth == trie.Depth - 1)
        {
            _found = [.. _beam];
        }
    }

    /// <summary>Whether a prefix that was left may lead to one of the k likeliest items. It is looked for from then on.</summary>
    public bool MayMiss(int k)
    {
        if (_found.Count <= k)
        {
            return false; // a beam that is not full has left nothing
        }

        _least = _found.Select(item => item.Sum).OrderDescending().ElementAt(k - 1);
        bool may = _left.Any(left => left.Any(prefix => prefix.Sum >= _least));
        if (may)
        {
            (_beam, _bound) = ([], Math.Max(_bound, MathF.BitDecrement(_least))); // less likely ones are given up
        }

        return may;
    }

    /// <summary>Goes on from what was left at a depth and from what came of the depths before, as far as it is likely enough.</summary>
    public void ComeBack(int depth, PrefixStates states, NextStates next)
    {
        var likely = _left[depth].Where(prefix => prefix.Sum >= _least).ToArray();
        _left[depth].RemoveAll(prefix => prefix.Sum >= _least);
        var children = depth == 0 ? [] : Children(depth, _beam, states, _least);
        _beam = [.. likely.Concat(children).OrderByDescending(prefix => prefix.Sum).Take(width)];
        _bound = likely.Concat(children).Select(prefix => prefix.Sum).OrderDescending().Skip(width).Append(_bound).Max();
        Continue(_beam, next);
        if (depth == trie.Depth - 1)
        {
            _found.AddRange(_beam);
        }
    }

    /// <summary>The likeliest items, as many as the beam is wide.</summary>
    public Decoded Found()
    {
        (int Item, double LogProbability)[] all = [.. _found
            .Select(item => (Item: trie.ItemOf(item.Nodes!), LogProbability: (double)item.Sum))
            .OrderByDescending(item => item.LogProbability).ThenBy(item => item.Item)];
        double left = _left.SelectMany(depth => depth).Select(prefix => prefix.Sum).Append(_bound).Max();
        return new Decoded(all[..Math.Min(width, all.Length)], all.Length > width ? Math.Max(left, all[width].LogProbability) : left);
    }

    private static void Continue(Prefix[] beam, NextStates next)
    {
        for (int i = 0; i < beam.Length; i++)
        {
            beam[i] = beam[i] with { State = next.Of(beam[i].State, beam[i].Child.Token) };
        }
    }

    /// <summary>The likeliest children of prefixes, twice as many as the beam takes, the likeliest first; their states are still their
    /// parents'.</summary>
    private Prefix[] Children(int depth, Prefix[] beam, PrefixStates states, float least)
    {
        var (children, from, sums) = _room ??= ([], [], []);
        children.Clear();
        from.Clear();
        sums.Clear();
        for (int i = 0; i < beam.Length; i++)
        {
            trie.Children(depth, beam[i].Nodes, filter, children);
            var logProbabilities = states.LogProbabilities(beam[i].State);
            for (int child = sums.Count; child < children.Count; child++)
            {
                // A collision token that the model does not know has the probability of the last known one: its item can still be found.
                float sum = beam[i].Sum + logProbabilities[Math.Min(children[child].Token, logProbabilities.Length - 1)];
                from.Add(i);
                sums.Add(sum >= least ? sum : float.NaN); // none
            }
        }

        int[] best = TopItems.Of(CollectionsMarshal.AsSpan(sums), (2 * width) + 1);
        if (best.Length > 2 * width)
        {
            _bound = Math.Max(_bound, sums[best[^1]]);
            best = best[..^1];
        }

        return Array.ConvertAll(best, at => new Prefix(
            beam[from[at]].State, children[at], sums[at], trie.Follow(depth, beam[from[at]].Nodes, children[at])));
    }

    /// <param name="State">Behind it; of a prefix that was not gone on to, behind its parent.</param>
    /// <param name="Child">Its last token.</param>
    /// <param name="Sum">Its log-probability.</param>
    /// <param name="Nodes">[layers] where it stands, -1: nowhere; null: at the root.</param>
    private readonly record struct Prefix(int State, TrieChild Child, float Sum, int[]? Nodes);
}
