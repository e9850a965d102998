using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// Beam search inside the trie, batched over users. Scores are sums of log-probabilities over all tokens: softmax first, mask after, so
/// that they stay comparable between requests. Finished beams are existing items and distinct by construction; beams at −inf are dropped.
/// Ties have one order, whatever the layers of the trie: inside the beam the earlier beam and then the smaller token, in the answer
/// the smaller item index.
/// </summary>
public sealed class BeamSearch(SemanticDecoder network, TrieLayers trie)
{
    /// <param name="hidden">[rows, dim] what was read of the histories.</param>
    /// <param name="beam">Beams kept at each depth.</param>
    /// <param name="admissions">[rows] the items that a row may return, null: every one; they are alike in their filter.</param>
    /// <returns>[rows] items with log-probabilities, best first; at most <paramref name="beam"/>, fewer when the trie has fewer.</returns>
    public (int Item, double LogProbability)[][] Search(
        Tensor hidden, HistoryCache history, int beam, IReadOnlyList<Admission?> admissions, CancellationToken cancel = default)
    {
        long rows = hidden.size(0);
        if (trie.Leaves == 0)
        {
            return [.. Enumerable.Repeat(Array.Empty<(int, double)>(), (int)rows)];
        }

        var open = admissions[0]?.Filter?.Open(hidden.device);
        var filters = admissions.Select(admission => admission is null ? null : PrefixFilter.Of(trie, admission)).ToArray();
        var beams = new BeamCache();
        var state = hidden.unsqueeze(1); // [rows, 1, dim]
        var nodes = trie.Root(rows, hidden.device); // [layers] each [rows, beams]
        var scores = zeros(rows, 1, ScalarType.Float32, hidden.device); // [rows, beams]
        for (int depth = 0; ; depth++)
        {
            cancel.ThrowIfCancellationRequested();
            var (sums, tokens) = trie.Expand(depth, nodes, scores, network.LogProbabilities(state, depth), filters, open);
            (scores, var parents, var chosen) = BestChildren(sums, tokens, Math.Min(beam, trie.Nodes(depth)));
            nodes = trie.Follow(depth, nodes, parents, chosen);
            if (depth == trie.Depth - 1)
            {
                return Collect(nodes, scores);
            }

            if (depth > 0)
            {
                beams.Follow(parents);
            }

            state = network.Extend(chosen, depth + 1, history, beams); // [rows, beams, dim]
        }
    }

    /// <summary>Log-probabilities of given items, by the same steps with the way known beforehand.</summary>
    /// <param name="codes">[rows, items, depth] tokens of the items within their levels.</param>
    /// <returns>[rows, items]</returns>
    public Tensor Score(Tensor hidden, HistoryCache history, Tensor codes)
    {
        var beams = new BeamCache();
        var first = network.LogProbabilities(hidden, 0); // [rows, tokens]: one state for all items
        var sum = first.gather(1, codes.select(2, 0)); // [rows, items]
        for (int depth = 1; depth < trie.Depth; depth++)
        {
            var state = network.Extend(codes.select(2, depth - 1), depth, history, beams); // [rows, items, dim]
            sum = sum + network.LogProbabilities(state, depth).gather(2, codes.narrow(2, depth, 1)).squeeze(2);
        }

        return sum;
    }

    /// <summary>The likeliest codes where nothing says which of them items have: what the model generates when no trie holds it.</summary>
    /// <param name="levels">Codes of a tuple; the collision token is left out.</param>
    /// <returns>[rows, at most beam, levels] int64, best first.</returns>
    public static Tensor Unconstrained(SemanticDecoder network, Tensor hidden, HistoryCache history, int beam, int levels)
    {
        long rows = hidden.size(0);
        var beams = new BeamCache();
        var state = hidden.unsqueeze(1); // [rows, 1, dim]
        var scores = zeros(rows, 1, ScalarType.Float32, hidden.device);
        var tuples = zeros(rows, 1, 0, ScalarType.Int64, hidden.device);
        for (int depth = 0; ; depth++)
        {
            var sums = scores.unsqueeze(2) + network.LogProbabilities(state, depth); // [rows, beams, tokens]
            var tokens = arange(sums.size(2), ScalarType.Int64, sums.device).expand(sums.shape);
            (scores, var parents, var chosen) = BestChildren(sums, tokens, beam);
            tuples = cat([tuples.gather(1, parents.unsqueeze(2).expand(-1, -1, depth)), chosen.unsqueeze(2)], 2);
            if (depth == levels - 1)
            {
                return tuples;
            }

            if (depth > 0)
            {
                beams.Follow(parents);
            }

            state = network.Extend(chosen, depth + 1, history, beams);
        }
    }

    /// <summary>
    /// Where each row's best scores stand; of equal ones those of the smaller place come first. topk alone gives ties in no order, so each
    /// score (a float, never above 0) is lowered, as a double, by its place times 2^-51 of itself: of at most 2^26 places, less than the
    /// 2^-24 by which two floats differ.
    /// </summary>
    /// <param name="scores">[rows, n]</param>
    /// <param name="places">[rows, n] or [n], below 2^26: a thousand beams of 2^16 tokens.</param>
    /// <returns>[rows, min(width, n)]</returns>
    internal static Tensor Best(Tensor scores, Tensor places, int width)
    {
        var lowered = scores.to(ScalarType.Float64) * (1 + (places.to(ScalarType.Float64) * Math.ScaleB(1, -51)));
        return lowered.topk((int)Math.Min(width, scores.size(1)), 1).indexes;
    }

    /// <summary>The best children of all beams.</summary>
    /// <param name="sums">[rows, beams, places]</param>
    /// <param name="tokens">[rows, beams, places]</param>
    /// <returns>Each [rows, at most width]: scores, the beams that they continue, their tokens.</returns>
    private static (Tensor Scores, Tensor Parents, Tensor Tokens) BestChildren(Tensor sums, Tensor tokens, int width)
    {
        var beam = arange(sums.size(1), ScalarType.Int64, sums.device).view(1, -1, 1);
        var at = Best(sums.flatten(1), ((beam * (ushort.MaxValue + 1)) + tokens).flatten(1), width);
        return (sums.flatten(1).gather(1, at), at.div(sums.size(2), RoundingMode.floor), tokens.flatten(1).gather(1, at));
    }

    private (int Item, double LogProbability)[][] Collect(Tensor[] nodes, Tensor scores)
    {
        var (leaves, values) = (stack(nodes, 2).cpu().data<long>().ToArray(), scores.cpu().data<float>().ToArray());
        int width = (int)scores.size(1), layers = nodes.Length;
        return [.. Enumerable.Range(0, (int)scores.size(0)).Select(row => Enumerable.Range(row * width, width)
            .Where(i => !float.IsNegativeInfinity(values[i]))
            .Select(i => (Item: trie.ItemOf(leaves.AsSpan(i * layers, layers)), LogProbability: (double)values[i]))
            .OrderByDescending(found => found.LogProbability).ThenBy(found => found.Item).ToArray())];
    }
}
